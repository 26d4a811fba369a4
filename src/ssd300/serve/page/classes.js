// A button for each class, with the number of its detections; it hides and shows them.
// The buttons carry their label; page.js handles the clicks.

import { byId, dot, element, replaceKeepingFocus } from "./elements.js";
import { aboveThreshold, colorOf, countLabels, state } from "./state.js";

const MAX_ALWAYS = 12; // a model with more classes has buttons only for the hidden ones and those that were found

export function drawClasses() {
  const counts = countLabels(aboveThreshold(state.shown));
  const all = state.model?.classes.map((one) => one.name) ?? [];
  for (const label of all.length <= MAX_ALWAYS ? all : state.hiddenLabels) counts.set(label, counts.get(label) ?? 0);
  const sorted = [...counts].sort(([a], [b]) => a.localeCompare(b));
  replaceKeepingFocus(byId("classes"), sorted.map(([label, count]) => chip(label, count)));
}

export function toggleLabel(label) {
  if (!state.hiddenLabels.delete(label)) state.hiddenLabels.add(label);
}

function chip(label, count) {
  const button = element("button", { type: "button", label }, [dot(colorOf(label)), `${label} ${count}`]);
  button.setAttribute("aria-pressed", String(!state.hiddenLabels.has(label)));
  return button;
}
