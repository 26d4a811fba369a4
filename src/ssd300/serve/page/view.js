// A picture with boxes on a canvas. Boxes come in pixels of the picture; the canvas shows it as large as there is room.

const TALLEST_SHARE = 0.76; // of the window's height
const FADED = 0.25;
const EDGE = "#0009"; // around a box, which would vanish on a picture of its colour
const MOST_NAMED = 15; // of more boxes only the lit one is named: names would cover the picture

export class View {
  #canvas;
  #context;
  #picture = null;
  #scale = 1;
  #drawn = [];

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
  }

  // `picture` is anything that can be drawn, or null for a kind that the browser does not know: then it is grey.
  show(picture, width, height, room) {
    const scale = Math.min(room / width, (window.innerHeight * TALLEST_SHARE) / height, 3);
    const sharpness = window.devicePixelRatio || 1;
    this.#picture = picture;
    this.#scale = scale * sharpness;
    this.#canvas.width = Math.max(1, Math.round(width * this.#scale));
    this.#canvas.height = Math.max(1, Math.round(height * this.#scale));
    this.#canvas.style.width = `${Math.max(1, Math.round(width * scale))}px`;
  }

  // `detections` have a label, a score and a box; `colors` maps a label to {color, textColor}; `lit` is one of them.
  draw(detections, colors, lit = null) {
    const c = this.#context;
    const sharpness = window.devicePixelRatio || 1;
    this.#drawn = detections;
    c.globalAlpha = 1;
    if (this.#picture) {
      c.drawImage(this.#picture, 0, 0, this.#canvas.width, this.#canvas.height);
    } else {
      c.fillStyle = "#8886";
      c.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
      c.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    }
    const size = Math.round(Math.min(Math.max(this.#canvas.width / sharpness / 44, 11), 16) * sharpness);
    c.font = `600 ${size}px system-ui, sans-serif`;
    c.textBaseline = "middle";
    const worstFirst = [...detections].reverse();
    const order = lit ? [...worstFirst.filter((one) => one !== lit), lit] : worstFirst;
    for (const one of order) {
      c.globalAlpha = lit && one !== lit ? FADED : 1;
      this.#box(one, colors.get(one.label), one === lit ? 3.5 * sharpness : 2 * sharpness);
    }
    for (const one of order.length > MOST_NAMED ? order.filter((one) => one === lit) : order) {
      c.globalAlpha = lit && one !== lit ? FADED : 1;
      this.#tag(one, colors.get(one.label), size);
    }
    c.globalAlpha = 1;
  }

  // The smallest box under a place in the window, null for none.
  at(clientX, clientY) {
    const place = this.#canvas.getBoundingClientRect();
    const x = ((clientX - place.left) / place.width) * (this.#canvas.width / this.#scale);
    const y = ((clientY - place.top) / place.height) * (this.#canvas.height / this.#scale);
    const under = this.#drawn.filter(({ box }) => box.xmin <= x && x <= box.xmax && box.ymin <= y && y <= box.ymax);
    return under.sort((a, b) => area(a.box) - area(b.box))[0] ?? null;
  }

  #box({ box }, { color }, line) {
    const [x, y, right, bottom] = [box.xmin, box.ymin, box.xmax, box.ymax].map((value) => value * this.#scale);
    for (const [width, style] of [[line * 1.8, EDGE], [line, color]]) {
      this.#context.lineWidth = width;
      this.#context.strokeStyle = style;
      this.#context.strokeRect(x, y, right - x, bottom - y);
    }
  }

  #tag({ box, label, score }, { color, textColor }, size) {
    const c = this.#context;
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

function area(box) {
  return (box.xmax - box.xmin) * (box.ymax - box.ymin);
}
