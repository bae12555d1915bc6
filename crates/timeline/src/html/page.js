'use strict';
// Everything shown is put in as text, never as markup: names and notes come from the program under test.
const data = JSON.parse(document.getElementById('data').textContent);
const $ = id => document.getElementById(id);
const view = $('view'), head = $('head'), body = $('body'), detail = $('detail');
const order = data.rows.map(row => row.row);
const rows = new Map(data.rows.map(row => [row.row, row]));
let selected = null, zoom = 1;

function add(parent, tag, text, name) {
  const made = document.createElement(tag);
  if (text) made.textContent = text;
  if (name) made.className = name;
  parent.append(made);
  return made;
}

function band(row) {
  return body.querySelector(`.band[data-r="${row}"]`);
}

function select(row, scroll) {
  if (!rows.has(row)) return;
  if (selected !== null) band(selected).classList.remove('sel');
  selected = row;
  const here = band(row);
  here.classList.add('sel');
  if (scroll) {
    // Below the names of the lanes, which stay on top.
    const at = here.getBoundingClientRect(), box = view.getBoundingClientRect();
    const top = box.top + head.getBoundingClientRect().height + 30, bottom = box.bottom - 40;
    if (at.top < top) view.scrollTop -= top - at.top;
    if (at.bottom > bottom) view.scrollTop += at.bottom - bottom;
  }
  tell(rows.get(row));
}

function tell(row) {
  detail.replaceChildren();
  add(detail, 'p', `event ${row.seq}, time ${row.time}`, 'faint');
  const said = add(detail, 'p');
  if (row.who !== null) add(said, 'strong', data.tasks[row.who].title + ' ');
  said.append(row.did);
  if (row.site) add(detail, 'p', 'at ' + row.site, 'faint');
  const why = (list, words) => list.forEach(([kind, other]) => {
    const to = rows.get(other);
    const text = to ? `${kind} ${words} event ${to.seq}` : `${kind} ${words} an event that is not shown`;
    const made = add(detail, 'button', text);
    made.disabled = !to;
    made.onclick = () => select(other, true);
  });
  why(row.after, 'after');
  why(row.before, 'before');
  row.lines.forEach(line => add(detail, 'div', line, 'mono'));
  if (row.more) add(detail, 'p', `and ${row.more} more like these`, 'faint');
}

function move(by, same) {
  let at = selected === null ? (by > 0 ? -1 : order.length) : order.indexOf(selected);
  const who = selected === null ? null : rows.get(selected).who;
  do at += by; while (same && at >= 0 && at < order.length && rows.get(order[at]).who !== who);
  if (at >= 0 && at < order.length) select(order[at], true);
}

function scale(to) {
  const old = zoom;
  zoom = Math.min(4, Math.max(0.2, to));
  const middle = (view.scrollTop + view.clientHeight / 2) / old;
  for (const part of [head, body]) {
    const [, , w, h] = part.getAttribute('viewBox').split(' ').map(Number);
    part.setAttribute('width', w * zoom);
    part.setAttribute('height', h * zoom);
  }
  view.scrollTop = middle * zoom - view.clientHeight / 2;
}

function failure() {
  if (data.focus !== null) {
    const at = order.findIndex(row => row >= data.focus);
    select(order[at < 0 ? order.length - 1 : at], true);
  }
}

// Tasks: the list, and what the search leaves of it.
const found = new Set();
const entries = data.tasks.map((task, index) => {
  const made = add(add($('tasks'), 'li'), 'button', task.title + (task.site ? '  ' + task.site : ''));
  add(made, 'span', (task.shown ? '  ' : '  not shown, ') + task.end, 'faint');
  made.onclick = () => {
    const first = data.rows.find(row => row.who === index);
    if (first) select(first.row, true);
  };
  return made;
});

function search() {
  const text = $('find').value.trim().toLowerCase();
  found.clear();
  data.tasks.forEach((task, index) => {
    const hit = (task.title + ' ' + task.site).toLowerCase().includes(text);
    if (hit) found.add(index);
    entries[index].hidden = !hit;
  });
  for (const mark of document.querySelectorAll('[data-t]')) {
    mark.classList.toggle('dim', text !== '' && !found.has(Number(mark.dataset.t)));
  }
}

function theme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
}

$('find').oninput = search;
$('find').onkeydown = event => {
  if (event.key === 'Enter') {
    const after = selected === null ? -1 : order.indexOf(selected);
    const hits = data.rows.filter(row => found.has(row.who));
    const next = hits.find(row => order.indexOf(row.row) > after) || hits[0];
    if (next) select(next.row, true);
  }
  if (event.key === 'Escape') {
    $('find').value = '';
    search();
    view.focus();
  }
  event.stopPropagation();
};
document.querySelectorAll('[data-layer]').forEach(box => {
  box.onchange = () => view.classList.toggle('no-' + box.dataset.layer, !box.checked);
});
$('in').onclick = () => scale(zoom * 1.25);
$('out').onclick = () => scale(zoom / 1.25);
$('fit').onclick = () => scale(view.clientWidth / Number(body.getAttribute('viewBox').split(' ')[2]));
$('fail').onclick = failure;
$('theme').onclick = theme;

view.onwheel = event => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  scale(zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
};
let drag = null;
view.onpointerdown = event => {
  if (event.button === 0) drag = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop, far: false };
};
view.onpointermove = event => {
  if (!drag) return;
  const [x, y] = [event.clientX - drag.x, event.clientY - drag.y];
  if (!drag.far && Math.abs(x) + Math.abs(y) < 5) return;
  drag.far = true;
  view.classList.add('pan');
  view.scrollLeft = drag.left - x;
  view.scrollTop = drag.top - y;
};
onpointerup = event => {
  const was = drag;
  drag = null;
  view.classList.remove('pan');
  const mark = was && !was.far && event.target.closest ? event.target.closest('#body [data-r]') : null;
  if (mark) select(Number(mark.dataset.r), false);
};
onkeydown = event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === 'INPUT') return;
  const keys = {
    ArrowDown: () => move(1), j: () => move(1), ArrowUp: () => move(-1), k: () => move(-1),
    n: () => move(1, true), p: () => move(-1, true), f: failure, t: theme,
    '/': () => $('find').focus(), '+': () => scale(zoom * 1.25), '-': () => scale(zoom / 1.25), '0': () => scale(1),
  };
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
};
failure();
