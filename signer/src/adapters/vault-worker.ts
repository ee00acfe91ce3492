// The worker thread: the vault behind a message port. It has no network code; what it cannot go on after, it dies of.
import type { MessagePort } from "node:worker_threads";
import { parentPort, workerData } from "node:worker_threads";
import { Failure } from "@causeway/primitives";
import type * as machine from "../machine.ts";
import type { Outside, VaultOptions } from "./vault.ts";
import { openVault } from "./vault.ts";

/** To the worker. */
export type ToVault =
  | { readonly kind: "event"; readonly event: machine.Event }
  | { readonly kind: "stop" };

/** From the worker. */
export type FromVault =
  | { readonly kind: "open"; readonly peer: Uint8Array }
  | {
      readonly kind: "effects";
      readonly effects: readonly Outside[];
      readonly summary: machine.Summary;
    }
  | { readonly kind: "refused"; readonly code: string; readonly message: string };

function start(port: MessagePort, say: (message: FromVault) => void): void {
  const vault = openVault(workerData as VaultOptions);
  const tell = (effects: readonly Outside[]): void =>
    say({ kind: "effects", effects, summary: vault.summary() });
  port.on("message", (message: ToVault) => {
    if (message.kind === "event") return tell(vault.handle(message.event));
    vault.close();
    port.close();
  });
  say({ kind: "open", peer: vault.peer });
  tell(vault.first);
}

/** Null in the main thread, which imports this file only to prepare it. */
const port = parentPort;
if (port !== null) {
  const say = (message: FromVault): void => port.postMessage(message);
  try {
    start(port, say);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    say({ kind: "refused", code: error.code, message: error.message });
    port.close();
  }
}
