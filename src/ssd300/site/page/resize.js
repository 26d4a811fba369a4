// The two filters of images/resize.py, over an image that comes in bands of rows from the top.
// Each pixel is a weighted sum, first of its row, then of its column.

// `one` is the weight of a whole pixel. Pillow's are whole numbers, and it rounds to 8 bits after each of the two sums.
const FILTERS = {
  "pillow-bilinear-antialias": { weightsOf: widening, one: 2 ** 22, half: 2 ** 21, Values: Uint8Array },
  bilinear: { weightsOf: fourNeighbors, one: 1, half: 0, Values: Float32Array },
};

export class Resizer {
  #filter;
  #size;
  #across;
  #down;
  #narrow; // RGB of all rows so far, `size` wide
  #filled = 0;

  // For an image of this width and height, to `size` squared, by the filter of this name.
  constructor(width, height, size, name) {
    this.#filter = FILTERS[name];
    this.#size = size;
    this.#across = this.#weights(width);
    this.#down = this.#weights(height);
    this.#narrow = new this.#filter.Values(3 * size * height);
  }

  // The next `rows` of the image, RGBA in 8 bits.
  add(band, rows) {
    const { one, half } = this.#filter;
    const [size, narrow] = [this.#size, this.#narrow];
    const length = band.length / rows;
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < size; column += 1) {
        const { first, weights } = this.#across[column];
        let [red, green, blue] = [half, half, half];
        let from = row * length + 4 * first;
        for (let number = 0; number < weights.length; number += 1, from += 4) {
          const weight = weights[number];
          red += weight * band[from];
          green += weight * band[from + 1];
          blue += weight * band[from + 2];
        }
        narrow[this.#filled] = red / one; // what is stored in 8 bits loses its fraction
        narrow[this.#filled + 1] = green / one;
        narrow[this.#filled + 2] = blue / one;
        this.#filled += 3;
      }
    }
  }

  // RGB of `size` squared: in 8 bits, or as floating-point numbers 0..255 where the filter has no antialiasing.
  pixels() {
    const { one, half, Values } = this.#filter;
    const length = 3 * this.#size;
    const found = new Values(this.#size * length);
    this.#down.forEach(({ first, weights }, row) => {
      for (let place = 0; place < length; place += 1) {
        let sum = half;
        for (let number = 0; number < weights.length; number += 1) {
          sum += weights[number] * this.#narrow[(first + number) * length + place];
        }
        found[row * length + place] = sum / one;
      }
    });
    return found;
  }

  // For each place along a side of `length`: the first pixel that it is made of, and the weights from there on.
  #weights(length) {
    const { weightsOf, one } = this.#filter;
    return Array.from({ length: this.#size }, (_, place) => weightsOf(place, length, this.#size, one));
  }
}

// Pillow's BILINEAR: the filter widens as the image shrinks.
function widening(place, length, size, one) {
  const scale = length / size;
  const support = Math.max(scale, 1);
  const center = (place + 0.5) * scale;
  const first = Math.max(Math.trunc(center - support + 0.5), 0);
  const end = Math.min(Math.trunc(center + support + 0.5), length);
  const shares = Array.from({ length: end - first }, (_, number) => (
    Math.max(1 - Math.abs((first + number - center + 0.5) / support), 0)
  ));
  const all = shares.reduce((sum, share) => sum + share, 0);
  return { first, weights: shares.map((share) => Math.trunc((share / all) * one + 0.5)) };
}

// Without antialiasing, pixel centers at one half: the pixel before and the one after, in 32 bits as in Python.
function fourNeighbors(place, length, size) {
  const at = Math.max(Math.fround(Math.fround((place + 0.5) * Math.fround(length / size)) - 0.5), 0);
  const first = Math.min(Math.floor(at), length - 1);
  const weight = Math.fround(at - first);
  return { first, weights: first + 1 < length ? [1 - weight, weight] : [1] };
}
