// How a process of the simulation lives and dies: memory goes, disks stay; orders of a dead one are dropped.

import { after, at } from "../seeds/queue.ts";
import { note } from "../seeds/trace.ts";
import type { Process, World } from "./model.ts";

/** `run` after a delay, unless the process died in between. */
export function later(
  world: World,
  process: Process,
  delayMs: number,
  label: string,
  run: () => void,
): void {
  const { boot } = process;
  after(world.queue, delayMs, label, () => {
    if (process.isUp && process.boot === boot) run();
  });
}

/** As {@link later}, at a time of the simulation. */
export function laterAt(
  world: World,
  process: Process,
  atMs: number,
  label: string,
  run: () => void,
): void {
  const { boot } = process;
  at(world.queue, atMs, label, () => {
    if (process.isUp && process.boot === boot) run();
  });
}

/** Whether the process lives on after `performed` effects of a step. */
export function survives(world: World, process: Process, name: string, performed: number): boolean {
  if (process.diesAfter === undefined || performed < process.diesAfter) return true;
  process.diesAfter = undefined;
  world.faults["crash-within-step"] += 1;
  kill(world, process, name);
  return false;
}

export function kill(world: World, process: Process, name: string): void {
  note(world.trace, world.queue.now, `${name} dies`);
  process.isUp = false;
  process.boot += 1;
}

/** A process that has never run. */
export function unborn(): Process {
  return { isUp: false, boot: 0, diesAfter: undefined };
}

/** 32 bytes of entropy, never the same. */
export function entropy(world: World): Uint8Array {
  world.draws += 1;
  const bytes = world.random.bytes(32);
  new DataView(bytes.buffer).setUint32(0, world.draws);
  return bytes;
}
