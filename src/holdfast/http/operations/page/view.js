// What the last look saw, asked for by name.

import { sum } from "./course.js";

export class View {
  constructor(state, course) {
    this.state = state;
    this.now = Date.parse(state.at);
    this.recent = course.recent;
    this.points = course.points;
    this.processes = state.processes.map((process) => new Process(process));
  }

  /** What a part of the state holds; undefined when it was never seen, null when it is not set up. */
  value(name) {
    const part = this.state.parts[name];
    return part ? (part.value ?? undefined) : null;
  }

  trouble(name) {
    return this.state.parts[name]?.trouble ?? null;
  }

  age(name) {
    return this.state.parts[name]?.ageSeconds ?? null;
  }

  /** Processes that tell something whose name begins so. */
  telling(prefix) {
    return this.processes.filter((process) => process.isFresh && process.figures.some(([name]) => name.startsWith(prefix)));
  }

  /** A figure summed over all processes. */
  total(name, labels) {
    return sum(this.telling(name).map((process) => process.figure(name, labels) ?? 0));
  }
}

class Process {
  constructor({ process, pid, ageSeconds, isFresh, figures }) {
    Object.assign(this, { name: process, pid, ageSeconds, isFresh, figures });
  }

  /** The sum of the figures of this name whose labels are these; null when it tells none. */
  figure(name, labels = {}) {
    const found = this.all(name, labels);
    return found.length ? sum(found.map((figure) => figure.value)) : null;
  }

  all(name, labels = {}) {
    return this.figures
      .filter(([told, , its]) => told === name && Object.entries(labels).every(([label, text]) => its?.[label] === text))
      .map(([, value, its]) => ({ value, labels: its ?? {} }));
  }
}
