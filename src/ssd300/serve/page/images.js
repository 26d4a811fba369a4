// Adds images to the strip, chooses one of them, and removes one.

import { detectWaiting, loadBitmap } from "./detection.js";
import { byId } from "./elements.js";
import { stopCamera } from "./live.js";
import { showNote } from "./notices.js";
import { show } from "./screen.js";
import { newEntry, state } from "./state.js";
import { drawStrip } from "./strip.js";

export function add(files) {
  stopCamera();
  const added = [...files].map((file) => Object.assign(newEntry(file), { url: URL.createObjectURL(file) }));
  if (!added.length) return;
  state.entries.push(...added);
  choose(added[0]);
}

// Shows an image. If it failed it is sent again, but for a file that is no image.
export function choose(entry) {
  stopCamera();
  showNote(null);
  if (entry.error && entry.error.status !== 415) Object.assign(entry, { error: null, maxOverlap: undefined });
  show(entry);
  loadBitmap(entry);
  detectWaiting();
}

export function chooseNeighbor(step) {
  const next = state.entries[state.entries.indexOf(state.shown) + step];
  if (!next) return;
  const hadFocus = ["strip", "found"].some((id) => byId(id).contains(document.activeElement));
  choose(next);
  const current = byId("strip").querySelector("[aria-current=true]");
  current.scrollIntoView({ block: "nearest", inline: "nearest" });
  if (hadFocus) current.focus();
}

export function remove(entry) {
  const position = state.entries.indexOf(entry);
  state.entries.splice(position, 1);
  URL.revokeObjectURL(entry.url);
  if (entry === state.shown) show(state.entries[Math.min(position, state.entries.length - 1)] ?? null);
  else drawStrip();
  if (!state.entries.length) byId("files").focus(); // the strip, which had the focus, is hidden
}
