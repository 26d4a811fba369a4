// Starts the page, and connects events to what they do.

import { describeModel } from "./api.js";
import { camera } from "./camera.js";
import { drawClasses, toggleLabel } from "./classes.js";
import { setUpSliders } from "./controls.js";
import { detectWaiting } from "./detection.js";
import { download } from "./download.js";
import { byId } from "./elements.js";
import { makeStop, moveInFound } from "./found.js";
import { drawHeader } from "./header.js";
import { add, choose, chooseNeighbor, remove } from "./images.js";
import { capture, chooseCamera, stopCamera, toggleCamera } from "./live.js";
import { askToken, showError } from "./notices.js";
import { applyFilters } from "./screen.js";
import { detectionAt, highlight, resize, showWhole } from "./stage.js";
import { state } from "./state.js";

// Asks for the model, and detects in the images that wait; gives the error that it shows, or null. A new token calls it
// again.
export async function start() {
  try {
    state.model = await describeModel((words) => (byId("model").textContent = words));
  } catch (error) {
    byId("model").textContent = "";
    if (error.status !== 401) showError(error);
    else askToken();
    return error;
  }
  drawHeader(state.model);
  for (const one of state.model.classes) state.colors.set(one.name, { color: one.color, textColor: one.text_color });
  setUpSliders(state.model);
  drawClasses();
  detectWaiting();
  return null;
}

byId("files").addEventListener("change", (event) => {
  add(event.target.files);
  event.target.value = "";
});
document.addEventListener("paste", (event) => {
  add([...event.clipboardData.files].filter((file) => file.type.startsWith("image/")));
});
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  byId("stage").classList.add("drag-over");
});
document.addEventListener("dragleave", (event) => event.relatedTarget ?? byId("stage").classList.remove("drag-over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  byId("stage").classList.remove("drag-over");
  add(event.dataTransfer.files);
});

byId("strip").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) (button.className === "remove" ? remove : choose)(button.entry);
});
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (step && !event.target.matches("input, select") && !camera.running) chooseNeighbor(step);
});

byId("canvas").addEventListener("mousemove", (event) => highlight(detectionAt(event.clientX, event.clientY)));
byId("canvas").addEventListener("mouseleave", () => highlight(null));
const found = byId("found");
const rowOf = (target) => target?.closest?.("#found button") ?? null;
found.addEventListener("mouseover", (event) => rowOf(event.target) && highlight(rowOf(event.target).detection));
found.addEventListener("mouseleave", () => highlight(rowOf(document.activeElement)?.detection ?? null));
found.addEventListener("focusin", (event) => {
  makeStop(found.querySelectorAll("button"), rowOf(event.target));
  highlight(rowOf(event.target)?.detection ?? null);
});
found.addEventListener("focusout", () => highlight(null));
found.addEventListener("click", showWhole);
found.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault(); // of the scrolling
  moveInFound(step);
});
byId("classes").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  toggleLabel(button.label);
  applyFilters();
});

byId("camera").addEventListener("click", toggleCamera);
byId("capture").addEventListener("click", async () => add([await capture()]));
byId("camera-choice").addEventListener("change", (event) => chooseCamera(event.target.value));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stopCamera("The camera was stopped because the page was no longer in view.");
});
for (const button of document.querySelectorAll("[data-download]")) {
  button.addEventListener("click", () => download(button.dataset.download));
}
new ResizeObserver(() => state.shown && resize()).observe(byId("stage"));
start();
