// What is labeled so far: counts per class, and on demand the problems and near copies.

import { request } from "./api.js";
import { byId, dot, element } from "./elements.js";
import { showError } from "./notices.js";
import { colorOf, state } from "./state.js";

const MOST_ROWS = 100;

export function drawCounts() {
  const done = state.lines.filter((line) => line.state === "done");
  const empty = done.filter((line) => Object.keys(line.classes).length === 0).length;
  byId("data-counts").replaceChildren(
    ...[["images", state.lines.length], ["labeled", done.length], ["without objects", empty],
      ["with a problem", state.lines.filter((line) => line.fault).length]].map(([what, count]) =>
      element("div", {}, [element("dt", {}, [what]), element("dd", {}, [count.toLocaleString("en")])])),
  );
  const most = Math.max(1, ...state.classes.map((one) => one.objects));
  byId("data-classes").replaceChildren(...state.classes.map(({ name, objects }) => {
    const bar = element("span", { className: "share" });
    bar.style.width = `${(100 * objects) / most}%`;
    bar.style.background = colorOf(name).color;
    const images = done.filter((line) => line.classes[name]).length;
    const row = element("li", { title: `${objects} objects in ${images} images` }, [
      dot(colorOf(name).color), element("span", { className: "name" }, [name]),
      element("span", { className: "count" }, [objects.toLocaleString("en")]), element("span", { className: "track" }, [bar]),
    ]);
    return row;
  }));
}

export async function runCheck() {
  byId("check").disabled = true;
  byId("check-state").textContent = "Reading all labels and images …";
  try {
    const found = await (await request("v1/label/check")).json();
    const names = Object.entries(found.splits);
    const splits = names.length > 1 ? names.map(([name, count]) => `${name} ${count.toLocaleString("en")}`) : [];
    byId("check-state").textContent = [
      found.findings.length ? `${found.findings.length} ${found.findings.length === 1 ? "problem" : "problems"}` : "No problem found", splits.length ? `splits: ${splits.join(", ")}` : "",
    ].filter(Boolean).join(" · ");
    byId("check-findings").replaceChildren(...found.findings.slice(0, MOST_ROWS).map(finding));
    byId("copies-title").hidden = found.copies.length === 0;
    byId("copies-title").textContent = `${found.copies.length} ${found.copies.length === 1 ? "group" : "groups"} of nearly the same images`;
    byId("check-copies").replaceChildren(...found.copies.slice(0, MOST_ROWS).map((group) =>
      element("li", {}, group.map((number) => link(number)))));
  } catch (error) {
    byId("check-state").textContent = "";
    showError(error);
  } finally {
    byId("check").disabled = false;
  }
}

function finding({ level, message, fix, image }) {
  const made = element("li", { className: level }, [element("span", {}, [message]), element("span", { className: "soft" }, [` ${fix}`])]);
  if (image !== null) made.prepend(link(image), " ");
  return made;
}

function link(number) {
  const made = element("button", { type: "button", className: "link" }, [state.lines[number].name.split("/").at(-1)]);
  made.dataset.image = number;
  return made;
}
