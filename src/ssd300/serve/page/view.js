// An image with boxes on a canvas. Boxes are in pixels of the image, which is scaled to the space that there is.

const MAX_HEIGHT = 0.7; // of the window's: the strip below stays in view
const MAX_SCALE = 3;
const FADED = 0.25;
const EDGE = "#0009"; // around a box, which would vanish on an image of its color
const MAX_NAMED = 15; // of more boxes only the highlighted one is named: names would cover the image

export class View {
  #canvas;
  #context;
  #bitmap = null;
  #scale = 1;
  #drawn = [];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  // `bitmap` is an image or a canvas; without one (a format that the browser does not know) the canvas is gray.
  show(bitmap, width, height, room) {
    const scale = Math.min(room / width, (window.innerHeight * MAX_HEIGHT) / height, MAX_SCALE);
    this.#bitmap = bitmap;
    this.#scale = scale * sharpness();
    this.#canvas.width = Math.max(1, Math.round(width * this.#scale));
    this.#canvas.height = Math.max(1, Math.round(height * this.#scale));
    this.#canvas.style.width = `${Math.max(1, Math.round(width * scale))}px`;
  }

  // `colors` maps the label of a detection to {color, textColor}; `highlighted` is one of the detections or null.
  draw(detections, colors, highlighted = null) {
    this.#drawn = detections;
    this.#drawBitmap();
    const lowestFirst = [...detections].reverse();
    const order = highlighted ? [...lowestFirst.filter((one) => one !== highlighted), highlighted] : lowestFirst;
    const named = order.length > MAX_NAMED ? order.filter((one) => one === highlighted) : order;
    for (const one of order) {
      this.#context.globalAlpha = highlighted && one !== highlighted ? FADED : 1;
      this.#drawBox(one, colors.get(one.label), one === highlighted ? 3.5 : 2);
    }
    for (const one of named) {
      this.#context.globalAlpha = highlighted && one !== highlighted ? FADED : 1;
      this.#drawName(one, colors.get(one.label));
    }
  }

  // The detection with the smallest box under a position in the window, null for none.
  at(clientX, clientY) {
    const rect = this.#canvas.getBoundingClientRect();
    const x = ((clientX - rect.left) / rect.width) * (this.#canvas.width / this.#scale);
    const y = ((clientY - rect.top) / rect.height) * (this.#canvas.height / this.#scale);
    const under = this.#drawn.filter(({ box }) => box.xmin <= x && x <= box.xmax && box.ymin <= y && y <= box.ymax);
    return under.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
  }

  #drawBitmap() {
    const { width, height } = this.#canvas;
    this.#context.globalAlpha = 1;
    if (this.#bitmap) {
      this.#context.drawImage(this.#bitmap, 0, 0, width, height);
    } else {
      this.#context.fillStyle = "#8886";
      this.#context.clearRect(0, 0, width, height);
      this.#context.fillRect(0, 0, width, height);
    }
  }

  #drawBox({ box }, { color }, cssLine) {
    const line = cssLine * sharpness();
    const [x, y, right, bottom] = [box.xmin, box.ymin, box.xmax, box.ymax].map((value) => value * this.#scale);
    for (const [width, style] of [[line * 1.8, EDGE], [line, color]]) {
      this.#context.lineWidth = width;
      this.#context.strokeStyle = style;
      this.#context.strokeRect(x, y, right - x, bottom - y);
    }
  }

  #drawName({ box, label, score }, { color, textColor }) {
    const c = this.#context;
    const size = Math.round(Math.min(Math.max(this.#canvas.width / sharpness() / 44, 11), 16) * sharpness());
    c.font = `600 ${size}px system-ui, sans-serif`;
    c.textBaseline = "middle";
    const text = `${label} ${score.toFixed(2)}`;
    const width = c.measureText(text).width + size * 0.7;
    const height = size * 1.45;
    const x = Math.max(0, Math.min(box.xmin * this.#scale, this.#canvas.width - width));
    const above = box.ymin * this.#scale - height;
    const y = above >= 0 ? above : Math.min(box.ymin * this.#scale, this.#canvas.height - height);
    c.fillStyle = color;
    c.fillRect(x, y, width, height);
    c.fillStyle = textColor;
    c.fillText(text, x + size * 0.35, y + height / 2);
  }
}

function sharpness() {
  return window.devicePixelRatio || 1;
}

function area(box) {
  return (box.xmax - box.xmin) * (box.ymax - box.ymin);
}
