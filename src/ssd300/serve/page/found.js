// The list of the shown image's detections, its title, and the same in words for screen readers.
// The rows carry their detection; page.js handles the pointer and the focus.

import { byId, dot, element } from "./elements.js";
import { aboveThreshold, colorOf, countLabels, nameOf, state, visible } from "./state.js";

const MAX_ROWS = 200;

export function drawFound() {
  const { shown } = state;
  const found = visible(shown);
  const rows = shown?.isLive ? [] : found.slice(0, MAX_ROWS); // those of the camera view change before they are read
  byId("found").replaceChildren(...rows.map(row));
  byId("found-title").textContent = title(found);
  byId("status").textContent = shown?.result && !shown.isLive ? inWords(found) : "";
}

export function isAllHidden() {
  return aboveThreshold(state.shown).length > 0 && visible(state.shown).length === 0;
}

// Moves the focus to the next row or the one before: the list is a single stop of the Tab key.
export function moveInFound(step) {
  const rows = [...byId("found").querySelectorAll("button")];
  const next = rows[rows.indexOf(document.activeElement) + step];
  if (!next) return;
  makeStop(rows, next);
  next.focus();
}

export function makeStop(rows, row) {
  for (const one of rows) one.tabIndex = one === row ? 0 : -1;
}

function row(detection, index) {
  const button = element("button", { type: "button", detection, tabIndex: index === 0 ? 0 : -1 }, [
    element("span", { className: "number" }, [String(index + 1)]),
    dot(colorOf(detection.label)),
    element("span", { className: "name" }, [detection.label]),
    element("span", { className: "place" }, [place(detection.box)]),
    element("span", { className: "score" }, [detection.score.toFixed(2)]),
  ]);
  return element("li", {}, [button]);
}

// The size of a box and the place of its upper left corner, in pixels of the image.
function place({ xmin, ymin, xmax, ymax }) {
  const [x, y, width, height] = [xmin, ymin, xmax - xmin, ymax - ymin].map(Math.round);
  return `${width} × ${height} at ${x}, ${y}`;
}

function title(found) {
  if (state.shown === null) return "No image yet";
  if (state.shown.error) return "Not processed";
  if (!state.shown.result) return "…";
  if (isAllHidden()) return "All hidden";
  const mayBeMore = aboveThreshold(state.shown).length >= state.model.top_k;
  return `${found.length} found${mayBeMore ? ", and there may be more" : ""}`;
}

function inWords(found) {
  const counts = [...countLabels(found)].map(([label, count]) => `${count} ${label}`);
  return `${nameOf(state.shown)}: ${isAllHidden() ? "all hidden" : counts.join(", ") || "nothing found"}`;
}
