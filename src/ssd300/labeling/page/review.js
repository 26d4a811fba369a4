// A walk through the disagreements of labels and detector: from one to the next, with a decision about each.

import { request } from "./api.js";
import { draw } from "./board.js";
import { say } from "./box_list.js";
import { aroundCase, areEqual, asDetected, isEqual, shownCase } from "./disagreement.js";
import { canEdit, canUndo, change, countOfEdits, undo } from "./editing.js";
import { byId } from "./elements.js";
import { show } from "./navigation.js";
import { showError, showNote } from "./notices.js";
import { sharpen } from "./picture.js";
import { drawReview } from "./review_panel.js";
import { flush } from "./saving.js";
import { newId, state } from "./state.js";
import { drawTools } from "./tools.js";
import { zoomTo } from "./viewport.js";

const AGAIN_MS = 1000; // while images are looked at
const MOST_STEPS = 200;
const walk = {
  isOn: false,
  info: null, // as /v1/label/review has it
  isSettled: false, // whether the shown case is gone, as the labels were changed by hand
  isFirst: true, // whether the first case is still to be shown
  isDeciding: false,
  past: [], // decisions that can be undone: {one, edits, before, after}
  floor: 0, // edits that an undone decision has used up
};
let timer = 0;

// Looks at the labeled images in the background, and shows the worst case once all are looked at.
export async function startReview() {
  if (!state.project.proposes) return;
  walk.isOn = true;
  await ask();
}

// Asks how far the review is, and goes on asking as long as its panel is shown and images are left.
export async function followReview() {
  drawReview(walk);
  if (walk.isOn) await ask();
}

export async function reviewNext(step = 1) {
  if (!walk.isOn) {
    await startReview();
    return;
  }
  if (!walk.info) return;
  const current = state.disagreement;
  if (current && !shownCase() && !walk.isSettled) await open(current);
  else await open(neighbor(walk.info.cases, step));
}

// The detector is right: the labels become what it says.
export async function takeDetector() {
  const one = shownCase();
  if (!one || !canEdit() || walk.isDeciding || walk.isSettled) return;
  const after = asDetected(one);
  if (!after) {
    showNote("These labels were changed meanwhile; the disagreements are looked for again.");
    await ask();
    return;
  }
  const before = state.boxes.map((box) => ({ ...box, key: state.keys.get(box.id) ?? "" }));
  if (areEqual(before, after)) {
    await keepLabel(); // the detector's box at whole pixels is the label's
    return;
  }
  await decide(one, "detector", async () => {
    change(after, { selected: null });
    return flush();
  }, { before, after });
}

// The label is right, and is not asked about again.
export async function keepLabel() {
  const one = shownCase();
  if (one && !walk.isDeciding && !walk.isSettled) await decide(one, "label", async () => true, {});
}

// Takes the last change or decision back, whichever came last.
export async function undoLast() {
  const last = walk.past.at(-1);
  const isEdit = canUndo() && countOfEdits() > (last?.edits ?? walk.floor);
  if (isEdit || !isShown()) undo();
  else if (last && !walk.isDeciding) await undoDecision(last);
}

async function undoDecision(last) {
  walk.isDeciding = true;
  try {
    if (!(await bring(last.one))) return;
    if (last.before) {
      if (!(await restore(last))) return;
    } else {
      await post(last.one, "open");
    }
    walk.past.pop();
    walk.floor = countOfEdits();
    if (walk.past.length > 0) walk.past.at(-1).edits = walk.floor;
    say("Decision undone");
  } catch (error) {
    showError(error);
  } finally {
    walk.isDeciding = false;
  }
  await ask();
}

// After each save: a case whose labels were changed by hand may be settled.
export function reviewSaved() {
  if (walk.isOn && !walk.isDeciding && isShown()) ask();
}

// After other weights were taken.
export function useOtherReview() {
  Object.assign(walk, { isOn: false, info: null, isSettled: false, isFirst: true, past: [] });
  state.disagreement = null;
}

export function chooseKind() {
  state.disagreement = null;
  walk.isFirst = true;
  drawReview(walk);
  draw();
  byId("canvas").focus(); // so that the keys are heard
  return ask();
}

function isShown() {
  return !byId("panel-review").hidden;
}

async function decide(one, decision, act, more) {
  const former = walk.info.cases;
  walk.isDeciding = true;
  try {
    const isSaved = await act();
    if (isSaved) {
      await post(one, decision);
      walk.past.push({ one, edits: countOfEdits(), ...more });
      if (walk.past.length > MOST_STEPS) walk.past.shift();
    }
    if (!isSaved) return;
  } catch (error) {
    showError(error);
    return;
  } finally {
    walk.isDeciding = false;
  }
  await ask();
  const rest = former.slice(former.findIndex((other) => other.id === one.id) + 1);
  const isOpen = new Set(walk.info.cases.map((other) => other.id));
  await open(rest.find((other) => isOpen.has(other.id)) ?? walk.info.cases[0]);
}

// The labels as they were before a decision; false if others have changed them since.
async function restore({ before, after }) {
  if (!areEqual(state.boxes, after)) {
    showNote("The labels of this image were changed since: change them by hand.");
    walk.past.pop();
    return false;
  }
  const left = [...state.boxes];
  change(before.map(({ key, ...box }) => {
    const place = left.findIndex((one) => isEqual(one, box));
    if (place >= 0) return left.splice(place, 1)[0];
    const made = { ...box, id: newId() };
    if (key) state.keys.set(made.id, key); // by it the server knows all that the file had of the object
    return made;
  }), { selected: null });
  return flush();
}

async function ask() {
  state.decisions = walk.past.length;
  clearTimeout(timer);
  const query = new URLSearchParams();
  if (byId("review-kind").value) query.set("kind", byId("review-kind").value);
  if (state.disagreement) query.set("current", state.disagreement.id);
  const asked = state.disagreement;
  try {
    walk.info = await (await request(`v1/label/review?${query}`)).json();
  } catch (error) {
    showError(error);
    return;
  }
  if (asked && asked === state.disagreement && (await settle(asked))) return;
  if (walk.info.left > 0 && !walk.info.fault && isShown()) timer = setTimeout(ask, AGAIN_MS);
  drawReview(walk);
  drawTools();
  draw();
  if (walk.isFirst && walk.info.left === 0 && walk.info.cases.length > 0) await open(walk.info.cases[0]);
}

// Notes whether the shown case is gone, and says once that a change by hand has done so. True if all was asked again.
async function settle(asked) {
  const wasSettled = walk.isSettled;
  walk.isSettled = !walk.info.is_current_open;
  if (walk.isSettled && !wasSettled && !walk.isDeciding && shownCase() && !walk.past.some(({ one }) => one.id === asked.id)) {
    await post(asked, "edited").catch(showError);
    await ask();
    return true;
  }
  return false;
}

function neighbor(cases, step) {
  const place = cases.findIndex((one) => one.id === state.disagreement?.id);
  if (place < 0) return cases[step > 0 ? 0 : cases.length - 1];
  return cases[(place + step + cases.length) % cases.length];
}

// Shows a case, its place enlarged; undefined shows that there is none.
async function open(one) {
  if (one) walk.isFirst = false;
  if (one && !(await bring(one))) return;
  if (!one) state.disagreement = null;
  drawReview(walk);
  draw();
  if (one) say(byId("review-case").innerText);
}

// Makes a case the shown one. False if its image cannot be shown.
async function bring(one) {
  const former = state.disagreement;
  state.disagreement = one; // so that the image appears with it, and enlarged at once
  const view = (image) => zoomTo(image, aroundCase(one));
  if (state.image?.number !== one.image) await show(one.image, view);
  if (state.image?.number !== one.image) {
    state.disagreement = former;
    return false;
  }
  walk.isSettled = false;
  state.selected = state.hovered = null;
  view(state.image);
  sharpen(draw);
  return true;
}

function post(one, decision) {
  return request("v1/label/review/decide", {
    method: "POST", body: JSON.stringify({ case: one.id, decision }), headers: { "Content-Type": "application/json" },
  });
}
