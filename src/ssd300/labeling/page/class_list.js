// The classes: which one the next box gets, found by typing, added and renamed.

import { request } from "./api.js";
import { byId, dot, element } from "./elements.js";
import { colorOf, state, useClasses } from "./state.js";

const DIGITS = 9;

export function drawClassList() {
  const text = byId("class-search").value.trim();
  const found = matching(text);
  const rows = found.map((one) => row(one));
  if (text && !state.classes.some((one) => one.name.toLowerCase() === text.toLowerCase())) {
    const add = element("button", { type: "button", className: "add" }, [`Add “${text}”`]);
    add.dataset.add = text;
    rows.push(add);
  }
  const focused = document.activeElement?.closest?.("#classes [data-name]")?.dataset.name;
  byId("classes").replaceChildren(...rows);
  if (focused) [...byId("classes").querySelectorAll("[data-name]")].find((one) => one.dataset.name === focused)?.focus();
}

// The class that Enter takes: the first that is found; "" if there is none.
export function firstFound() {
  const text = byId("class-search").value.trim();
  return text ? matching(text)[0]?.name ?? "" : "";
}

export function nameOfDigit(digit) {
  return state.classes[digit - 1]?.name ?? "";
}

export async function addClass(name) {
  useClasses(await (await post("v1/label/classes", { name })).json());
  const plain = name.split(/\s+/).join(" ").trim();
  return state.classes.find((one) => one.name === plain)?.name ?? state.classes.at(-1).name;
}

export async function renameClass(old, name) {
  const answer = await (await post("v1/label/classes/rename", { old, new: name })).json();
  if (state.activeClass === old) state.activeClass = name;
  useClasses(answer.classes);
  return answer.images;
}

function post(address, body) {
  return request(address, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
}

function matching(text) {
  const wanted = text.toLowerCase();
  const starts = state.classes.filter((one) => one.name.toLowerCase().startsWith(wanted));
  const others = state.classes.filter((one) => !starts.includes(one) && one.name.toLowerCase().includes(wanted));
  return [...starts, ...others];
}

function row({ name, objects }) {
  const number = state.classes.findIndex((one) => one.name === name) + 1;
  const isActive = name === state.activeClass;
  const choose = element("button", { type: "button", className: "choose", tabIndex: isActive ? 0 : -1 }, [
    element("span", { className: "digit" }, [number <= DIGITS ? String(number) : ""]),
    dot(colorOf(name).color),
    element("span", { className: "name" }, [name]),
    element("span", { className: "count" }, [objects ? objects.toLocaleString("en") : ""]),
  ]);
  choose.dataset.name = name;
  choose.setAttribute("role", "radio");
  choose.setAttribute("aria-checked", String(isActive));
  choose.setAttribute("aria-label", `${name}, ${objects} ${objects === 1 ? "object" : "objects"}`);
  const rename = element("button", { type: "button", className: "rename", title: `Rename ${name}` });
  rename.setAttribute("aria-label", `Rename ${name}`);
  rename.dataset.rename = name;
  rename.innerHTML = '<svg aria-hidden="true"><use href="#i-edit"/></svg>';
  return element("div", { className: isActive ? "class active" : "class" }, [choose, rename]);
}
