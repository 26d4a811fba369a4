// A disagreement of labels and detector on the shown image: its boxes, and the labels as the detector would have them.

import { newId, state } from "./state.js";

const SAME_PX = 0.5; // so far a corner may be off: formats round differently

// The case that is shown now; null while another image is shown, or none.
export function shownCase() {
  const { disagreement: one, image } = state;
  return one && one.image === image?.number ? one : null;
}

// The boxes of the page that are the labels of a case; undefined for one that is not there any more.
export function labelsOf(one) {
  const label = one.label && state.boxes.find((box) => isSame(box, one.label));
  const other = one.other_label && state.boxes.find((box) => box !== label && isSame(box, one.other_label));
  return { label, other };
}

// All labels, with those of the case as the detector has them; null if its labels are not there any more.
export function asDetected(one) {
  const { label, other } = labelsOf(one);
  const { boxes } = state;
  const { name, box } = one.detection ?? {};
  if ((one.label && !label) || (one.other_label && !other)) return null;
  switch (one.kind) {
    case "missed": return [...boxes, { id: newId(), name, box, difficult: false, truncated: false, fault: "" }];
    case "other-class": return boxes.map((each) => (each === label ? { ...each, name } : each));
    case "loose": return boxes.map((each) => (each === label ? { ...each, box } : each));
    case "doubled": return boxes.filter((each) => each !== other);
    default: return boxes.filter((each) => each !== label);
  }
}

// What the two buttons do.
export function choicesOf({ kind, label, detection }) {
  switch (kind) {
    case "missed": return { detector: `Add ${detection.name}`, label: "No object here" };
    case "other-class": return { detector: `Change to ${detection.name}`, label: `Keep ${label.name}` };
    case "loose": return { detector: "Take the detector's box", label: "Keep the box" };
    case "doubled": return { detector: "Remove one of the two", label: "Keep both" };
    default: return { detector: `Remove ${label.name}`, label: `Keep ${label.name}` };
  }
}

// The smallest box around all that the case is about.
export function aroundCase({ label, other_label: other, detection }) {
  const boxes = [label, other, detection].filter(Boolean).map(({ box }) => box);
  return [0, 1, 2, 3].map((side) => (side < 2 ? Math.min : Math.max)(...boxes.map((box) => box[side])));
}

// Whether two lists have the same objects, in any order.
export function areEqual(some, others) {
  const left = [...others];
  for (const one of some) {
    const place = left.findIndex((other) => isEqual(one, other));
    if (place < 0) return false;
    left.splice(place, 1);
  }
  return left.length === 0;
}

export function isEqual(a, b) {
  const isBox = a.box && b.box ? a.box.every((value, side) => value === b.box[side]) : a.box === b.box;
  return isBox && a.name === b.name && a.difficult === b.difficult && a.truncated === b.truncated;
}

function isSame(box, { name, box: wanted }) {
  return box.box && box.name === name && box.box.every((value, side) => Math.abs(value - wanted[side]) <= SAME_PX);
}
