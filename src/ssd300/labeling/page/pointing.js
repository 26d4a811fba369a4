// What mouse, pen and fingers do on the canvas: draw, select, move, resize, and move the view.

import { draw, pointer } from "./board.js";
import { add, canEdit, change } from "./editing.js";
import { byId } from "./elements.js";
import { HANDLES, between, isLarge, itemAt, moved, resized } from "./geometry.js";
import { sharpen } from "./picture.js";
import { shownProposals } from "./proposals.js";
import { selectedBox, state } from "./state.js";
import { pan, toImage, toScreen, viewport, zoomAt } from "./viewport.js";

const REACH = { mouse: 8, pen: 10, touch: 24 }; // CSS pixels around a handle
const SLACK = { mouse: 3, pen: 4, touch: 10 }; // and around a box, for a click
const CLICK_PX = 4; // a shorter way of the pointer is a click
const WHEEL = 0.0015;
const canvas = byId("canvas");
const down = new Map(); // the places of the pointers that touch, by their ids
let action = null; // what the first pointer does
let pinch = null; // the distance and middle of two fingers
let isSpaceDown = false;
let onSelect = () => {};
let onDrawn = () => {};

// `selected` is called when a click has selected something, `drawn` with a new box.
export function setUpPointing({ selected, drawn }) {
  onSelect = selected;
  onDrawn = drawn;
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", cancel);
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
}

export function holdSpace(isDown) {
  isSpaceDown = isDown;
  canvas.style.cursor = isDown ? "grab" : "crosshair";
}

export function abort() {
  action = null;
  pointer.drawn = null;
  draw();
}

function begin(event) {
  if (!state.image?.width) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  const place = placeOf(event);
  pointer.isTouch = event.pointerType === "touch";
  pointer.place = place;
  down.set(event.pointerId, place);
  if (down.size === 2) {
    abort();
    pinch = pinchOf();
  } else if (down.size === 1) {
    action = actionAt(event, place);
  }
  draw();
}

function actionAt(event, place) {
  const start = { start: place, from: toImage(place), isMoved: false };
  if (event.button === 1 || event.button === 2 || isSpaceDown) return { ...start, kind: "pan", last: place };
  const box = selectedBox();
  if (canEdit() && box?.box) {
    const handle = handleAt(box.box, place, REACH[event.pointerType] ?? REACH.mouse);
    if (handle) return { ...start, kind: "resize", handle, box };
    if (itemAt([box], start.from, 0)) return { ...start, kind: "move", box };
  }
  return { ...start, kind: canEdit() ? "draw" : "pan", last: place };
}

function move(event) {
  const place = placeOf(event);
  pointer.place = place;
  pointer.isTouch = event.pointerType === "touch";
  if (down.has(event.pointerId)) down.set(event.pointerId, place);
  if (pinch && down.size === 2) movePinch();
  else if (action && down.has(event.pointerId)) moveAction(event, place);
  else hover(event, place);
  draw();
}

function moveAction(event, place) {
  const way = Math.hypot(place.x - action.start.x, place.y - action.start.y);
  if (!action.isMoved && way < CLICK_PX * (event.pointerType === "touch" ? 2 : 1)) return;
  action.isMoved = true;
  const point = toImage(place);
  const { width, height } = state.image;
  if (action.kind === "pan") {
    pan(state.image, place.x - action.last.x, place.y - action.last.y);
    action.last = place;
    sharpen(draw);
  } else if (action.kind === "draw") {
    pointer.drawn = between(action.from, point, width, height);
  } else {
    const box = action.kind === "move"
      ? moved(action.box.box, point.x - action.from.x, point.y - action.from.y, width, height)
      : resized(action.box.box, action.handle, point, width, height);
    state.boxes = state.boxes.map((one) => (one.id === action.box.id ? { ...one, box } : one));
  }
}

function end(event) {
  down.delete(event.pointerId);
  if (pinch) {
    if (down.size === 0) pinch = null;
    return;
  }
  const done = action;
  action = null;
  const { drawn } = pointer;
  pointer.drawn = null;
  if (!done) return;
  if (!done.isMoved) click(event, done);
  else if (done.kind === "draw" && drawn && isLarge(drawn)) onDrawn(add(drawn));
  else if (done.kind === "move" || done.kind === "resize") commit(done.box);
  draw();
}

// The movement becomes one step of undo: the boxes before it are those that undo brings back.
function commit(before) {
  const { boxes } = state;
  state.boxes = boxes.map((one) => (one.id === before.id ? before : one));
  change(boxes);
}

function click(event, { from, kind }) {
  if (kind === "pan" && event.button !== 0) return;
  const slack = (SLACK[event.pointerType] ?? SLACK.mouse) / viewport.scale;
  const items = [...state.boxes, ...shownProposals()];
  const current = items.find((one) => one.id === state.selected);
  const under = items.filter((one) => itemAt([one], from, slack));
  // Boxes in one another: each click takes the next larger one.
  const sorted = under.sort((a, b) => size(a) - size(b));
  const place = sorted.indexOf(current);
  state.selected = (sorted[place + 1] ?? sorted[0])?.id ?? null;
  onSelect();
}

function size({ box }) {
  return (box[2] - box[0]) * (box[3] - box[1]);
}

function cancel(event) {
  down.delete(event.pointerId);
  if (action && (action.kind === "move" || action.kind === "resize")) {
    state.boxes = state.boxes.map((one) => (one.id === action.box.id ? action.box : one));
  }
  pinch = null;
  abort();
}

function leave() {
  if (action) return;
  pointer.place = null;
  state.hovered = null;
  draw();
}

function hover(event, place) {
  const box = selectedBox();
  const handle = box?.box && canEdit() && handleAt(box.box, place, REACH[event.pointerType] ?? REACH.mouse);
  const point = toImage(place);
  const item = itemAt([...state.boxes, ...shownProposals()], point, SLACK.mouse / viewport.scale);
  state.hovered = item?.id ?? null;
  if (isSpaceDown) canvas.style.cursor = "grab";
  else if (handle) canvas.style.cursor = handle.cursor;
  else if (box?.box && canEdit() && itemAt([box], point, 0)) canvas.style.cursor = "move";
  else canvas.style.cursor = "crosshair";
}

function handleAt(box, place, reach) {
  const [left, top, right, bottom] = toScreen(box);
  const near = HANDLES.map((handle) => ({
    handle,
    distance: Math.max(
      Math.abs(place.x - (left + (right - left) * handle.x)), Math.abs(place.y - (top + (bottom - top) * handle.y)),
    ),
  })).filter((one) => one.distance <= reach);
  return near.sort((a, b) => a.distance - b.distance)[0]?.handle ?? null;
}

function wheel(event) {
  if (!state.image?.width) return;
  event.preventDefault();
  const lines = event.deltaMode === 1 ? 16 : 1;
  if (event.shiftKey) pan(state.image, -event.deltaY * lines, 0);
  else zoomAt(state.image, placeOf(event), Math.exp(-event.deltaY * lines * WHEEL));
  sharpen(draw);
  draw();
}

function pinchOf() {
  const [a, b] = [...down.values()];
  return { distance: Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1), x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function movePinch() {
  const now = pinchOf();
  pan(state.image, now.x - pinch.x, now.y - pinch.y);
  zoomAt(state.image, now, now.distance / pinch.distance);
  pinch = now;
  sharpen(draw);
}

function placeOf(event) {
  const { left, top } = canvas.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}
