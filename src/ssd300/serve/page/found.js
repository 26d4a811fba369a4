// The list of the shown image's detections, its title, and the same in words for screen readers.
// The rows carry their detection; page.js handles the pointer and the focus.

import { camera } from "./camera.js";
import { byId, dot, element } from "./elements.js";
import { aboveThreshold, colorOf, countLabels, nameOf, state, visible } from "./state.js";

const MAX_ROWS = 200;

export function drawFound() {
  const found = visible(state.shown);
  byId("found").replaceChildren(...found.slice(0, MAX_ROWS).map(row));
  byId("found-title").textContent = title(found);
  if (!camera.running) byId("status").textContent = state.shown?.result ? inWords(found) : "";
}

export function isAllHidden() {
  return aboveThreshold(state.shown).length > 0 && visible(state.shown).length === 0;
}

function row(detection) {
  const button = element("button", { type: "button", detection }, [
    dot(colorOf(detection.label)),
    element("span", { className: "name" }, [detection.label]),
    element("span", { className: "score" }, [detection.score.toFixed(2)]),
  ]);
  return element("li", {}, [button]);
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
