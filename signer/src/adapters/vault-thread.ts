// The vault's thread as the main thread sees it: events in, orders out, death is fatal.
import { Worker } from "node:worker_threads";
import { Failure } from "@causeway/primitives";
import type { Event, Summary } from "../machine.ts";
import type { Outside, VaultOptions } from "./vault.ts";
import type { FromVault, ToVault } from "./vault-worker.ts";

export type VaultThread = {
  /** Secret of the libp2p identity. */
  readonly peer: Uint8Array;
  readonly emit: (event: Event) => void;
  readonly summary: () => Summary | undefined;
  /** Orders go to `perform` from now on, those given so far first. */
  readonly start: (perform: (effect: Outside) => void) => void;
  /** Resolves when the journal is closed. */
  readonly stop: () => Promise<void>;
  /** Rejects when the thread dies. */
  readonly died: Promise<never>;
};

/** Throws the Failure that the vault refuses to open with. */
export async function startVault(options: VaultOptions): Promise<VaultThread> {
  const worker = new Worker(new URL("./vault-worker.ts", import.meta.url), { workerData: options });
  let summary: Summary | undefined;
  let early: Outside[] = [];
  let perform: (effect: Outside) => void = (effect) => early.push(effect);
  let stopping = false;
  const say = (message: ToVault): void => worker.postMessage(message);
  const ended = new Promise<number>((resolve) => worker.on("exit", resolve));
  const died = new Promise<never>((_, reject) => {
    worker.on("error", reject);
    ended
      .then((code) => {
        if (!stopping) reject(new Failure("vault-died", `the vault's thread ended with ${code}`));
      })
      .catch(reject);
  });
  const { peer } = await Promise.race([
    died,
    new Promise<FromVault & { kind: "open" }>((resolve, reject) => {
      worker.on("message", (message: FromVault) => {
        if (message.kind === "open") resolve(message);
        else if (message.kind === "refused") {
          // Not before the thread is gone: the process ends then, and would cut it off in native code.
          stopping = true;
          void ended.then(() => reject(new Failure(message.code, message.message)));
        } else {
          summary = message.summary;
          for (const effect of message.effects) perform(effect);
        }
      });
    }),
  ]);
  return {
    peer,
    emit: (event) => {
      if (!stopping) say({ kind: "event", event });
    },
    summary: () => summary,
    start: (to) => {
      perform = to;
      for (const effect of early) to(effect);
      early = [];
    },
    stop: async () => {
      stopping = true;
      say({ kind: "stop" });
      await ended;
    },
    died,
  };
}
