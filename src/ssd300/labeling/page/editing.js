// Changes of the boxes, each of which can be undone. What is shown and saved follows from them.

import { area, moved, resized } from "./geometry.js";
import { newId, selectedBox, state } from "./state.js";

const MOST_STEPS = 200;
const SAME_MS = 800; // steps of one kind within this time are undone together, such as a held arrow key
let past = [];
let future = [];
let edits = 0; // that were made and not undone, of all images
let last = { kind: "", at: 0 };
let announce = () => {};
let changed = () => {};

// `onChange` is called after each change, `onSay` with words for a screen reader.
export function whenChanged({ onChange, onSay }) {
  changed = onChange;
  announce = onSay;
}

export function forget() {
  past = [];
  future = [];
  last = { kind: "", at: 0 };
}

export function canEdit() {
  return Boolean(state.image?.width) && !state.image.fault;
}

// Makes `boxes` the boxes of the image. Changes of one `kind` soon after one another are one step of undo.
export function change(boxes, { kind = "", exists = true, selected = state.selected } = {}) {
  if (!canEdit()) return;
  const now = Date.now();
  if (!(kind && kind === last.kind && now - last.at < SAME_MS)) {
    past.push(snapshot());
    edits += 1;
  }
  if (past.length > MOST_STEPS) past.shift();
  last = { kind, at: now };
  future = [];
  Object.assign(state, { boxes, exists, selected });
  changed();
}

export function countOfEdits() {
  return edits;
}

export function canUndo() {
  return past.length > 0;
}

export function canRedo() {
  return future.length > 0;
}

export function undo() {
  if (past.length === 0) return;
  future.push(snapshot());
  edits -= 1;
  restore(past.pop(), "Undone");
}

export function redo() {
  if (future.length === 0) return;
  past.push(snapshot());
  edits += 1;
  restore(future.pop(), "Done again");
}

export function add(box, name = state.activeClass, more = {}) {
  const made = { id: newId(), name, box, difficult: false, truncated: false, fault: "", ...more };
  change([...state.boxes, made], { selected: made.id });
  announce(`Added ${name || "a box without a class"}`);
  return made;
}

// `isSelected` selects the last one, so that it can be adjusted.
export function addAll(items, isSelected = false) {
  const made = items.map((one) => ({ difficult: false, truncated: false, fault: "", ...one, id: newId() }));
  change([...state.boxes, ...made], { selected: isSelected ? made.at(-1).id : null });
  announce(`Added ${made.length} ${made.length === 1 ? "box" : "boxes"}`);
}

export function forgetSelection() {
  state.selected = state.hovered = null;
}

// A box in the middle of what is seen, for those who draw without a pointer.
export function addInView([xmin, ymin, xmax, ymax]) {
  const [x, y] = [(xmin + xmax) / 2, (ymin + ymax) / 2];
  const [width, height] = [(xmax - xmin) / 4, (ymax - ymin) / 4];
  add([x - width / 2, y - height / 2, x + width / 2, y + height / 2].map(Math.round));
}

export function removeSelected() {
  const box = selectedBox();
  if (!box) return;
  const place = state.boxes.indexOf(box);
  const rest = state.boxes.filter((one) => one !== box);
  change(rest, { selected: rest[Math.min(place, rest.length - 1)]?.id ?? null });
  announce(`Removed ${box.name}`);
}

// Gives the selected box other values. Nothing happens if it has them already.
export function changeSelected(values, kind = "") {
  const box = selectedBox();
  if (!box || Object.entries(values).every(([key, value]) => box[key] === value)) return;
  change(state.boxes.map((one) => (one === box ? { ...one, ...values } : one)), { kind });
}

export function toggleFlag(flag) {
  const box = selectedBox();
  if (!box?.box || !state.project.has_flags) return;
  changeSelected({ [flag]: !box[flag] });
  announce(`${flag} ${box[flag] ? "off" : "on"}`);
}

export function nudge(dx, dy) {
  const box = selectedBox();
  if (!box?.box) return;
  place(moved(box.box, dx, dy, state.image.width, state.image.height), `move ${box.id}`);
}

// Moves the right and the lower edge.
export function nudgeSize(dx, dy) {
  const box = selectedBox();
  if (!box?.box) return;
  const corner = { x: box.box[2] + dx, y: box.box[3] + dy };
  place(resized(box.box, { x: dx ? 1 : 0.5, y: dy ? 1 : 0.5 }, corner, state.image.width, state.image.height), `size ${box.id}`);
}

// Whether the image has labels although there is no box: it shows no object.
export function toggleNoObjects() {
  if (state.boxes.length > 0) return;
  change([], { exists: !state.exists, selected: null });
  announce(state.exists ? "The image has no objects" : "The image is not labeled");
}

// Selects the next item of a list, by its place in it; null behind the last one.
export function selectNext(items, step) {
  const place = items.findIndex((one) => one.id === state.selected);
  const next = items[place < 0 ? (step > 0 ? 0 : items.length - 1) : place + step];
  state.selected = next?.id ?? null;
  return next ?? null;
}

export function inWords({ name, box, difficult, truncated }) {
  if (!box) return `${name}, without a usable box`;
  const size = `${Math.round(box[2] - box[0])} × ${Math.round(box[3] - box[1])}`;
  return `${name || "no class"}, ${size} at ${Math.round(box[0])}, ${Math.round(box[1])}`
    + (difficult ? ", difficult" : "") + (truncated ? ", truncated" : "");
}

function place(box, kind) {
  if (area(box) > 0) changeSelected({ box }, kind);
  const now = selectedBox();
  if (now) announce(inWords(now));
}

function snapshot() {
  const { boxes, exists, selected } = state;
  return { boxes, exists, selected };
}

function restore(step, words) {
  Object.assign(state, step);
  last = { kind: "", at: 0 };
  changed();
  announce(`${words}: ${state.boxes.length} ${state.boxes.length === 1 ? "box" : "boxes"}`);
}
