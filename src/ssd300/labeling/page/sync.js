// What other pages and programs change: asked for all the time, shown at once, and never mixed with what is not saved.

import { request } from "./api.js";
import { drawCounts } from "./data_panel.js";
import { drawClassList } from "./class_list.js";
import { byId } from "./elements.js";
import { drawImageList, drawProgress, linesChanged } from "./image_list.js";
import { drawAll, take } from "./navigation.js";
import { showNote } from "./notices.js";
import { askAbout } from "./proposals.js";
import { drawSplits } from "./splits.js";
import { countOfSaves, isBusy } from "./saving.js";
import { state, useClasses } from "./state.js";

const EVERY_MS = 1500;
const SLOWLY_MS = 10_000; // while nobody looks at the page
let revision = 0;

export function startSync(first) {
  revision = first;
  setTimeout(ask, EVERY_MS);
}

// Takes the line of an image that this page has saved.
export function noteSaved(saved) {
  const line = state.lines[saved.number];
  const classes = {};
  for (const { name, box } of saved.boxes) if (box) classes[name] = (classes[name] ?? 0) + 1;
  useLines([{ ...line, state: saved.exists ? "done" : line.state === "proposed" ? "proposed" : "none", classes, fault: saved.fault }]);
}

async function ask() {
  const saves = countOfSaves();
  const query = new URLSearchParams({ since: revision });
  if (state.image) query.set("image", state.image.number);
  const asked = state.image?.number;
  try {
    const found = await (await request(`v1/label/changes?${query}`)).json();
    revision = found.revision;
    useClasses(found.classes);
    if (!document.activeElement?.closest?.("#classes")) drawClassList();
    if (found.images.length > 0) useLines(found.images);
    await askAbout();
    const isOther = found.version !== null && found.version !== state.version;
    if (isOther && asked === state.image?.number && !isBusy() && saves === countOfSaves()) await reload(asked);
  } catch {
    // The server does not answer: the next save says so, and the question is asked again.
  }
  setTimeout(ask, document.hidden ? SLOWLY_MS : EVERY_MS);
}

async function reload(number) {
  const image = await (await request(`v1/label/images/${number}`)).json();
  if (isBusy() || state.image?.number !== number || image.version === state.version) return;
  take(image);
  drawAll();
  showNote("Another page or program has changed these labels; they were loaded again.");
}

function useLines(lines) {
  for (const line of lines) state.lines[line.number] = line;
  linesChanged();
  drawProgress();
  drawImageList({ follow: false });
  if (!byId("panel-data").hidden) drawCounts();
  drawSplits();
}
