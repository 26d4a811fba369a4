// Draws the image and its boxes on the canvas, at most once for each frame of the screen.

import { labelsOf, shownCase } from "./disagreement.js";
import { byId } from "./elements.js";
import { HANDLES } from "./geometry.js";
import { picture } from "./picture.js";
import { shownProposals } from "./proposals.js";
import { colorOf, state } from "./state.js";
import { toScreen, viewport } from "./viewport.js";

const LINE = 2;
const SELECTED_LINE = 3;
const CASE_LINE = 4; // of a disagreement
const EDGE = "#0009"; // around a line, which would vanish on an image of its color
const HANDLE_PX = 9;
const TOUCH_HANDLE_PX = 16;
const MOST_NAMES = 60; // of more boxes, only the selected one and the one under the pointer are named
const DASHES = [6, 5];
const LOOKS = { label: "#2b9bff", other: "#e65cff", detector: "#ff9c1a", beside: "#c3c9d1" };
const canvas = byId("canvas");
const context = canvas.getContext("2d");
const names = []; // that are still to be drawn
let isWaiting = false;

// What the pointer does: a box that is being drawn, its place for the guide lines, and whether it is a finger.
export const pointer = { drawn: null, place: null, isTouch: false };
export const guides = { on: true };

export function draw() {
  if (isWaiting) return;
  isWaiting = true;
  requestAnimationFrame(() => {
    isWaiting = false;
    drawNow();
  });
}

function drawNow() {
  const sharpness = window.devicePixelRatio || 1;
  context.setTransform(sharpness, 0, 0, sharpness, 0, 0);
  context.clearRect(0, 0, viewport.width, viewport.height);
  byId("zoom").textContent = state.image?.width ? `${Math.round(viewport.scale * 100)}%` : "";
  if (!state.image?.width) return;
  drawPicture();
  if (guides.on) drawGuides();
  const one = shownCase();
  if (one) drawCase(one);
  else drawItems();
  const selected = state.boxes.find((box) => box.id === state.selected && box.box);
  if (selected) {
    drawItem(selected, false, false);
    drawHandles(selected);
  }
  if (pointer.drawn) drawItem({ id: -1, name: state.activeClass, box: pointer.drawn }, true, false);
  for (const name of names.splice(0)) drawName(...name); // above all lines
}

function drawItems() {
  const proposals = shownProposals();
  const isCrowded = state.boxes.length + proposals.length > MOST_NAMES;
  for (const one of proposals) drawItem(one, isCrowded, true);
  for (const one of state.boxes) if (one.box && one.id !== state.selected) drawItem(one, isCrowded, false);
}

// A disagreement: its labels and the detection in looks of their own, all other labels in the background.
function drawCase(one) {
  const { label, other } = labelsOf(one);
  for (const box of state.boxes) {
    if (box.box && box !== label && box !== other && box.id !== state.selected) outline(box.box, LOOKS.beside, 1, []);
  }
  const shown = [
    label && [label.box, LOOKS.label, [], `label ${label.name}`],
    other && [other.box, LOOKS.other, [], `label ${other.name}`],
    one.detection && [one.detection.box, LOOKS.detector, DASHES, `detector ${one.detection.name} ${one.detection.score.toFixed(2)}`],
  ];
  for (const [box, look, dashes, text] of shown.filter(Boolean)) {
    outline(box, look, CASE_LINE, dashes);
    const [left, top, , bottom] = toScreen(box).map(Math.round);
    names.push([text, look, "#000", left, look === LOOKS.label ? top : bottom, look !== LOOKS.label]);
  }
}

function outline(box, style, line, dashes) {
  const [left, top, right, bottom] = toScreen(box).map(Math.round);
  context.setLineDash(dashes);
  for (const [width, color] of [[line + 2, EDGE], [line, style]]) {
    context.lineWidth = width;
    context.strokeStyle = color;
    context.strokeRect(left, top, right - left, bottom - top);
  }
  context.setLineDash([]);
}

function drawPicture() {
  const [left, top, right, bottom] = toScreen([0, 0, state.image.width, state.image.height]);
  context.imageSmoothingEnabled = viewport.scale < 3;
  context.fillStyle = "#8884";
  context.fillRect(left, top, right - left, bottom - top);
  if (picture.whole) context.drawImage(picture.whole, left, top, right - left, bottom - top);
  if (picture.part) {
    const [x1, y1, x2, y2] = toScreen(picture.part.box);
    context.drawImage(picture.part.bitmap, x1, y1, x2 - x1, y2 - y1);
  }
}

function drawGuides() {
  const { place } = pointer;
  if (!place || pointer.isTouch) return;
  for (const [width, style] of [[3, "#0005"], [1, "#fffc"]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.beginPath();
    context.moveTo(0, Math.round(place.y) + 0.5);
    context.lineTo(viewport.width, Math.round(place.y) + 0.5);
    context.moveTo(Math.round(place.x) + 0.5, 0);
    context.lineTo(Math.round(place.x) + 0.5, viewport.height);
    context.stroke();
  }
}

function drawItem(item, isCrowded, isProposal) {
  const isSelected = item.id === state.selected;
  const isMarked = isSelected || item.id === state.hovered;
  const [left, top, right, bottom] = toScreen(item.box).map(Math.round);
  if (right < 0 || bottom < 0 || left > viewport.width || top > viewport.height) return;
  const { color, text_color: textColor } = colorOf(item.name);
  const line = isSelected ? SELECTED_LINE : LINE;
  if (isMarked) {
    context.globalAlpha = 0.16;
    context.fillStyle = color;
    context.fillRect(left, top, right - left, bottom - top);
    context.globalAlpha = 1;
  }
  outline(item.box, color, line, isProposal ? DASHES : []);
  if (!isCrowded || isMarked) names.push([words(item, isProposal), color, textColor, left, top]);
}

function words(item, isProposal) {
  const flags = [item.difficult && "difficult", item.truncated && "truncated"].filter(Boolean).join(", ");
  const name = item.name || "which class?";
  return isProposal ? `${name} ${item.score.toFixed(2)}` : flags ? `${name} · ${flags}` : name;
}

function drawName(text, color, textColor, left, edge, isBelow = false) {
  const size = 12;
  context.font = `600 ${size}px system-ui, sans-serif`;
  const width = Math.ceil(context.measureText(text).width) + 8;
  const x = Math.max(left - 1, 0);
  const y = isBelow ? edge : edge - size - 6 < 0 ? Math.max(edge, 0) : edge - size - 6;
  context.fillStyle = color;
  context.fillRect(x, y, width, size + 6);
  context.fillStyle = textColor;
  context.textBaseline = "middle";
  context.fillText(text, x + 4, y + size / 2 + 3.5);
}

function drawHandles(item) {
  const [left, top, right, bottom] = toScreen(item.box);
  const size = pointer.isTouch ? TOUCH_HANDLE_PX : HANDLE_PX;
  for (const handle of HANDLES) {
    const x = Math.round(left + (right - left) * handle.x - size / 2);
    const y = Math.round(top + (bottom - top) * handle.y - size / 2);
    context.fillStyle = "#fff";
    context.fillRect(x, y, size, size);
    context.lineWidth = 1.5;
    context.strokeStyle = "#000c";
    context.strokeRect(x, y, size, size);
  }
}
