// Draws an image and its detections: boxes, and labels where they cover no other one. All lengths are in CSS pixels;
// the canvas is scaled, so that a larger one gets the same drawing.

import { MANY, placeLabels } from "./placing.js";

const LINE = 2;
const HIGHLIGHTED_LINE = 4;
const FADED = 0.25;
const EDGE = "#0009"; // around a box, which would vanish on an image of its color
const MIN_TEXT = 11;
const MAX_TEXT = 16;
const CROWDED = 0.75; // letters among many boxes, as a share of the usual ones
const TEXTS_IN_WIDTH = 44; // letters are this share of the width, between the two limits

// `scene` is {background, width, height, scale, detections, colors, highlighted}: width and height in CSS pixels, scale in
// CSS pixels per pixel of the image. `background` is an image or a canvas; "gray", where there is none; or "none".
export function drawScene(canvas, pixelsPerCssPixel, scene) {
  const context = canvas.getContext("2d");
  context.setTransform(pixelsPerCssPixel, 0, 0, pixelsPerCssPixel, 0, 0);
  drawBackground(context, scene);
  const items = scene.detections.map((one) => itemOf(context, one, scene)); // the best first
  const places = placeLabels(items, scene.width, scene.height);
  context.globalAlpha = scene.highlighted ? FADED : 1;
  for (const item of [...items].reverse()) drawBox(context, item, LINE);
  items.forEach((item, number) => places[number] && drawLabel(context, item, places[number]));
  context.globalAlpha = 1;
  if (scene.highlighted) drawHighlighted(context, scene);
}

function drawHighlighted(context, scene) {
  const item = itemOf(context, scene.highlighted, scene, `${scene.detections.indexOf(scene.highlighted) + 1} · `);
  const [place] = placeLabels([item], scene.width, scene.height);
  drawBox(context, item, HIGHLIGHTED_LINE);
  if (place) drawLabel(context, item, place);
}

function drawBackground(context, { background, width, height }) {
  context.clearRect(0, 0, width, height);
  if (background === "gray") {
    context.fillStyle = "#8886";
    context.fillRect(0, 0, width, height);
  } else if (background !== "none") {
    context.drawImage(background, 0, 0, width, height);
  }
}

// What is drawn for a detection.
function itemOf(context, detection, { width, scale, colors, detections }, prefix = "") {
  const { xmin, ymin, xmax, ymax } = detection.box;
  const usual = Math.min(width / TEXTS_IN_WIDTH, MAX_TEXT) * (detections.length > MANY ? CROWDED : 1);
  const size = Math.round(Math.max(usual, MIN_TEXT));
  const font = `600 ${size}px system-ui, sans-serif`;
  const text = `${prefix}${detection.label} ${detection.score.toFixed(2)}`;
  context.font = font;
  return {
    box: {
      left: Math.round(xmin * scale), top: Math.round(ymin * scale), // so that lines are sharp
      right: Math.round(xmax * scale), bottom: Math.round(ymax * scale),
    },
    colors: colors.get(detection.label),
    text, font, size,
    width: Math.ceil(context.measureText(text).width + size * 0.7),
    height: Math.ceil(size * 1.45),
  };
}

function drawBox(context, { box, colors }, line) {
  for (const [width, style] of [[line + 2, EDGE], [line, colors.color]]) {
    context.lineWidth = width;
    context.strokeStyle = style;
    context.strokeRect(box.left, box.top, box.right - box.left, box.bottom - box.top);
  }
}

function drawLabel(context, { text, font, size, width, height, colors }, { left, top }) {
  context.fillStyle = colors.color;
  context.fillRect(left, top, width, height);
  context.font = font;
  context.textBaseline = "middle";
  context.fillStyle = colors.textColor;
  context.fillText(text, left + size * 0.35, top + height / 2);
}
