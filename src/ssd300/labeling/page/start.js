// Starts the page, and connects events to what they do.

import {
  ACTIVE, addBox, chooseClass, copyOn, fitView, go, goOpen, resize, selected, takeTyped, toggleGuides, zoom,
} from "./actions.js";
import { request, useToken } from "./api.js";
import { draw } from "./board.js";
import { boxOfRow, say } from "./box_list.js";
import { drawClassList, renameClass } from "./class_list.js";
import { runCheck } from "./data_panel.js";
import { labeledByOthers, redo, removeSelected, toggleFlag, toggleNoObjects, whenChanged } from "./editing.js";
import { byId } from "./elements.js";
import {
  drawImageList, drawProgress, imageOfRow, linesChanged, listChosen, listed, useOrder,
} from "./image_list.js";
import { setUpKeyboard } from "./keyboard.js";
import { drawAll, show, take } from "./navigation.js";
import { askToken, showError, showNote } from "./notices.js";
import { setUpPointing } from "./pointing.js";
import {
  accept, chooseMapping, chooseThreshold, leastSure, proposeForAll, renameMapped, setUpProposals, useOtherWeights,
  whenAllAreKnown,
} from "./proposals.js";
import {
  chooseKind, followReview, keepLabel, reviewNext, reviewSaved, startReview, takeDetector, undoLast, useOtherReview,
} from "./review.js";
import { flush, isBusy, keepMine, onSaved, otherLabels, schedule } from "./saving.js";
import { drawSplits, setUpSplits } from "./splits.js";
import { selectedBox, state, useClasses } from "./state.js";
import { noteSaved, startSync } from "./sync.js";
import { openTab, setUpTabs } from "./tabs.js";
import { setUpTraining } from "./training.js";

// By name, or by a measure of doubt; of images that the model has not looked at, once it has.
async function orderImages(by) {
  useOrder(by === "name" ? null : await leastSure(by));
  drawImageList({ follow: false });
}
whenAllAreKnown(() => {
  if (byId("image-order").value !== "name") orderImages(byId("image-order").value).catch(showError);
});

async function start() {
  try {
    state.project = await (await request("v1/label/project")).json();
  } catch (error) {
    if (error.status === 401) askToken();
    else showError(error);
    return error;
  }
  byId("token-form").hidden = true;
  state.lines = state.project.images;
  state.activeClass = sessionStorage.getItem(ACTIVE) ?? "";
  useClasses(state.project.classes);
  byId("title").textContent = `${state.project.title} · ${state.project.format}`;
  byId("title").title = `Saved in ${state.project.place}`;
  document.title = `${state.project.title} · ssd300 label`;
  setUpProposals(selected);
  listChosen();
  linesChanged();
  drawClassList();
  drawProgress();
  drawSplits();
  drawImageList();
  startSync(state.project.revision);
  const name = decodeURIComponent(location.hash.slice(1));
  const named = state.lines.find((line) => line.name === name);
  await show((named ?? listed().find((line) => line.state !== "done" && !line.fault) ?? listed()[0])?.number);
  return null;
}

whenChanged({
  onSay: say,
  onChange: () => {
    schedule();
    selected();
  },
});
onSaved((saved) => {
  noteSaved(saved);
  reviewSaved();
});
setUpPointing({
  selected,
  drawn: (box) => {
    if (!box.name) byId("class-search").focus();
  },
});
setUpKeyboard({
  go, goOpen, addBox, copyOn, zoom, fitView, toggleGuides, chooseClass, selected, accept, takeDetector, keepLabel,
  undo: undoLast,
  review: async (step) => {
    if (byId("panel-review").hidden) openTab("review");
    await reviewNext(step);
  },
  help: () => byId("help-dialog").showModal(),
  within: (event, step) => {
    const radio = event.target.closest("[role=radio]");
    if (!radio) return;
    event.preventDefault();
    const all = [...byId("classes").querySelectorAll("[role=radio]")];
    all[(all.indexOf(radio) + step + all.length) % all.length].focus();
  },
});

byId("check").addEventListener("click", runCheck);
byId("panel-data").addEventListener("click", (event) => {
  const number = event.target.dataset.image;
  if (number !== undefined) show(Number(number));
});
byId("train-holdout").addEventListener("input", (event) => {
  byId("train-holdout-value").textContent = `${event.target.value}%`;
});
setUpTraining(async () => {
  useOtherWeights();
  useOtherReview();
  openTab("label");
  await show(state.image?.number);
});

byId("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  useToken(byId("token").value);
  showError(null);
  if ((await start())?.status === 401) showError(new Error("The server does not accept this token."));
});

for (const [id, call] of Object.entries({
  previous: () => go(-1), next: () => go(1), "next-open": goOpen, undo: undoLast, redo, "zoom-in": () => zoom(1),
  "zoom-out": () => zoom(-1), fit: fitView, guides: toggleGuides, "add-box": addBox, "copy-on": copyOn, "no-objects": toggleNoObjects,
  help: () => byId("help-dialog").showModal(),
  "take-theirs": () => { take(otherLabels()); labeledByOthers(); drawAll(); },
  "keep-mine": keepMine, "accept-all": () => accept(true), "accept-one": () => accept(false),
  "propose-all": () => proposeForAll().catch(showError),
  "review-start": startReview, "review-detector": takeDetector, "review-label": keepLabel,
  "review-next": () => reviewNext(1), "review-previous": () => reviewNext(-1),
})) {
  byId(id).addEventListener("click", call);
}
byId("difficult").addEventListener("change", () => toggleFlag("difficult"));
byId("truncated").addEventListener("change", () => toggleFlag("truncated"));

byId("review-kind").addEventListener("change", chooseKind);
byId("min-score").addEventListener("input", () => { chooseThreshold(Number(byId("min-score").value)); selected(); });
byId("by-class").addEventListener("click", () => { chooseThreshold(null); selected(); });
byId("mapping-rows").addEventListener("change", (event) => chooseMapping(event.target.dataset.model, event.target.value));

byId("class-form").addEventListener("submit", (event) => {
  event.preventDefault();
  takeTyped();
});
byId("class-search").addEventListener("input", drawClassList);
byId("class-search").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  byId("class-search").value = "";
  drawClassList();
  byId("canvas").focus();
});
byId("classes").addEventListener("click", (event) => {
  const { name, add, rename } = event.target.closest("button")?.dataset ?? {};
  if (name) chooseClass(name);
  else if (add) takeTyped();
  else if (rename) askRename(rename);
});

function askRename(name) {
  byId("rename-title").textContent = `Rename ${name}`;
  byId("rename-input").value = name;
  byId("rename-dialog").dataset.old = name;
  byId("rename-dialog").returnValue = "";
  byId("rename-dialog").showModal();
}
byId("rename-dialog").addEventListener("close", async () => {
  const { returnValue, dataset } = byId("rename-dialog");
  const name = byId("rename-input").value.trim();
  if (returnValue !== "rename" || !name || name === dataset.old) return;
  try {
    if (!(await flush())) return;
    const count = await renameClass(dataset.old, name);
    drawClassList();
    renameMapped(dataset.old, name);
    await show(state.image?.number);
    const stays = state.classes.some((one) => one.name === dataset.old) ? ` The data's list keeps ${dataset.old}, without objects.` : "";
    showNote(`Renamed in ${count} ${count === 1 ? "image" : "images"}.${stays}`);
  } catch (error) {
    showError(error);
  }
});

const boxes = byId("boxes");
boxes.addEventListener("click", (event) => {
  const id = boxOfRow(event.target);
  if (id === null) return;
  state.selected = id;
  if (event.target.closest(".remove")) removeSelected();
  else selected();
});
boxes.addEventListener("mouseover", (event) => {
  state.hovered = boxOfRow(event.target);
  draw();
});
boxes.addEventListener("mouseleave", () => {
  state.hovered = null;
  draw();
});
boxes.addEventListener("focus", () => {
  if (boxes.matches(":focus-visible") && !selectedBox() && state.boxes.length > 0) {
    state.selected = state.boxes[0].id;
    selected();
  }
});

byId("image-scroll").addEventListener("scroll", () => drawImageList({ follow: false }), { passive: true });
byId("image-scroll").addEventListener("click", (event) => show(imageOfRow(event.target)));
byId("image-scroll").addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  go(step);
});
for (const id of ["image-search", "image-filter"]) {
  byId(id).addEventListener("input", () => {
    byId("image-scroll").scrollTop = 0;
    drawImageList();
  });
}
byId("image-order").addEventListener("change", async (event) => {
  try {
    await orderImages(event.target.value);
    byId("image-scroll").scrollTop = 0;
  } catch (error) {
    showError(error);
  }
});
byId("image-search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") show(listed()[0]?.number);
});

window.addEventListener("beforeunload", (event) => {
  if (!isBusy()) return;
  flush();
  event.preventDefault();
});
setUpSplits(drawAll);
setUpTabs({ review: followReview });
new ResizeObserver(resize).observe(byId("board"));
start();
