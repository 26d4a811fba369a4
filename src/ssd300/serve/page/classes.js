// A button for each class, with the number of its detections; it hides and shows them.
// The buttons carry their label; page.js handles the clicks.

import { byId, dot, element, replaceKeepingFocus } from "./elements.js";
import { aboveThreshold, colorOf, countLabels, state, storedThresholds } from "./state.js";

const MAX_ALWAYS = 12; // a model with more classes has buttons only for the hidden ones and those that were found

export function drawClasses() {
  const counts = countLabels(aboveThreshold(state.shown));
  const all = state.model?.classes.map((one) => one.name) ?? [];
  for (const label of all.length <= MAX_ALWAYS ? all : state.hiddenLabels) counts.set(label, counts.get(label) ?? 0);
  const labels = [...counts.keys()].sort((a, b) => a.localeCompare(b));
  const buttons = [...byId("classes").children];
  // With the same classes the buttons stay: during the camera view a new one would be gone before it is clicked.
  const isSame = buttons.length === labels.length && labels.every((label, number) => buttons[number].label === label);
  const chips = isSame ? buttons : labels.map(chip);
  for (const button of chips) update(button, counts.get(button.label));
  if (!isSame) replaceKeepingFocus(byId("classes"), chips);
}

export function toggleLabel(label) {
  if (!state.hiddenLabels.delete(label)) state.hiddenLabels.add(label);
}

function chip(label) {
  return element("button", { type: "button", label }, [
    dot(colorOf(label)), `${label} `, element("span", { className: "count" }), element("span", { className: "limit" }),
  ]);
}

function update(button, count) {
  const { label } = button;
  button.querySelector(".count").textContent = String(count);
  button.querySelector(".limit").textContent = state.minScore === null ? `> ${storedThresholds().get(label).toFixed(2)}` : "";
  button.setAttribute("aria-pressed", String(!state.hiddenLabels.has(label)));
}
