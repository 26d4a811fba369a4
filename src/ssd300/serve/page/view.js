// An image with boxes on a canvas, scaled to the space that there is. Boxes are in pixels of the image.

import { drawScene } from "./drawing.js";

const MAX_HEIGHT = 0.7; // of the window's: the strip below stays in view
const MAX_SCALE = 3;
const MAX_SAVED_PIXELS = 16_000_000; // phones have no larger canvas

export class View {
  #canvas;
  #scene = null;

  constructor(canvas) {
    this.#canvas = canvas;
  }

  // `background` is as in drawing.js; `width` and `height` are the image's, `room` is the width that there is.
  show(background, width, height, room) {
    const scale = Math.min(room / width, (window.innerHeight * MAX_HEIGHT) / height, MAX_SCALE);
    this.#scene = {
      background, scale, width: width * scale, height: height * scale, detections: [], colors: new Map(), highlighted: null,
    };
    fit(this.#canvas, this.#scene, sharpness());
    this.#canvas.style.width = `${Math.max(1, Math.round(width * scale))}px`;
  }

  // `colors` maps the label of a detection to {color, textColor}; `highlighted` is one of the detections or null.
  draw(detections, colors, highlighted = null) {
    Object.assign(this.#scene, { detections, colors, highlighted });
    drawScene(this.#canvas, sharpness(), this.#scene);
  }

  // What is seen, without the highlight, as a PNG: the same drawing, at least as large as the image.
  async png() {
    const { width, height, scale } = this.#scene;
    const largest = Math.sqrt(MAX_SAVED_PIXELS / (width * height));
    const pixelsPerCssPixel = Math.min(Math.max(1 / scale, sharpness()), largest);
    const canvas = document.createElement("canvas");
    fit(canvas, this.#scene, pixelsPerCssPixel);
    drawScene(canvas, pixelsPerCssPixel, { ...this.#scene, highlighted: null });
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  // The detection with the smallest box under a position in the window, null for none.
  at(clientX, clientY) {
    const rect = this.#canvas.getBoundingClientRect();
    const { width, height, scale, detections } = this.#scene;
    const x = (((clientX - rect.left) / rect.width) * width) / scale;
    const y = (((clientY - rect.top) / rect.height) * height) / scale;
    const under = detections.filter(({ box }) => box.xmin <= x && x <= box.xmax && box.ymin <= y && y <= box.ymax);
    return under.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
  }
}

function fit(canvas, { width, height }, pixelsPerCssPixel) {
  canvas.width = Math.max(1, Math.round(width * pixelsPerCssPixel));
  canvas.height = Math.max(1, Math.round(height * pixelsPerCssPixel));
}

function sharpness() {
  return window.devicePixelRatio || 1;
}

function area(box) {
  return (box.xmax - box.xmin) * (box.ymax - box.ymin);
}
