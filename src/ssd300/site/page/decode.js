// An image file as the network takes it: upright, without transparency, and resized by the filter that its weights name.
// The rules are those of images/rgb.py and images/resize.py; the browser decodes.

import { Resizer } from "./resize.js";

const BAND_ROWS = 256; // of the image on a canvas: phones allow no canvas for the whole of a large one

export class NoImageError extends Error {}

// Gives {width, height, pixels, timing_ms}: `pixels` are RGB of image_size_px squared; sizes are those of the whole image.
export async function decode(file, { image_size_px: size, resize, behind_alpha: [red, green, blue] }) {
  const started = performance.now();
  const bitmap = await open(file);
  const decoded = performance.now();
  const { width, height } = bitmap;
  const resizer = new Resizer(width, height, size, resize);
  const canvas = new OffscreenCanvas(width, Math.min(height, BAND_ROWS));
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  for (let top = 0; top < height; top += BAND_ROWS) {
    const rows = Math.min(BAND_ROWS, height - top);
    context.fillStyle = `rgb(${red} ${green} ${blue})`;
    context.fillRect(0, 0, width, rows);
    context.drawImage(bitmap, 0, top, width, rows, 0, 0, width, rows);
    resizer.add(context.getImageData(0, 0, width, rows).data, rows);
  }
  bitmap.close();
  const pixels = resizer.pixels();
  return { width, height, pixels, timing_ms: { decode: decoded - started, resize: performance.now() - decoded } };
}

// The pixels as they are stored, without a color profile: training reads them so too.
async function open(file) {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image", colorSpaceConversion: "none" });
  } catch {
    throw new NoImageError(
      file.size ? "This browser cannot open the file. It knows JPEG, PNG, WebP, GIF, BMP and, if it is new, AVIF."
        : "The file is empty.",
    );
  }
}
