// A bus in memory with the real one's promises: at least once, in order, each subscriber from where it
// acknowledged last.
import { Failure } from "../failure.ts";
import type { Bus, BusTopic } from "../ports.ts";

/** What outlives a close: messages and cursors. */
export type BusDisk = {
  readonly messages: Map<BusTopic, Uint8Array[]>;
  readonly cursors: Map<string, number>;
};

type Handler = (message: Uint8Array) => Promise<void>;

export function memoryBus(disk: BusDisk = { messages: new Map(), cursors: new Map() }): Bus {
  let closed = false;
  const wakes = new Set<() => void>();
  const subscribe = (topic: BusTopic, subscriber: string, handle: Handler): (() => void) => {
    const name = `${topic}/${subscriber}`;
    let running = false;
    let stopped = false;
    const run = async (): Promise<void> => {
      if (running) return;
      running = true;
      for (;;) {
        const cursor = disk.cursors.get(name) ?? 0;
        const message = disk.messages.get(topic)?.[cursor];
        if (message === undefined || stopped || closed) break;
        // A handler that fails is called again with the same message.
        const done = await handle(Uint8Array.from(message)).then(
          () => true,
          () => false,
        );
        if (done && !stopped && !closed) disk.cursors.set(name, cursor + 1);
      }
      running = false;
    };
    const wake = (): void => {
      run().catch(() => undefined);
    };
    wakes.add(wake);
    wake();
    return () => {
      stopped = true;
      wakes.delete(wake);
    };
  };
  return {
    publish: async (topic, message) => {
      if (closed) throw new Failure("closed", "the bus is closed");
      const messages = disk.messages.get(topic) ?? [];
      disk.messages.set(topic, messages);
      messages.push(Uint8Array.from(message));
      for (const wake of wakes) wake();
    },
    subscribe,
    close: async () => {
      closed = true;
      wakes.clear();
    },
  };
}
