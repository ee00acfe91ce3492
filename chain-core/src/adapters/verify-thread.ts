// A thread that verifies signatures: chunks of transactions in, how each good one was found good out.
import type { MessagePort } from "node:worker_threads";
import { workerData } from "node:worker_threads";
import type { Genesis } from "../ledger/genesis.ts";
import { proofOfOwners } from "../ledger/witness.ts";

export type ThreadOptions = {
  readonly genesis: Genesis;
  /** By place of the chunk: 1 when nobody needs it any more. */
  readonly passed: Int32Array;
  readonly port: MessagePort;
};

/** `genesis` where it is another than before: an asset was added. */
export type Chunk = {
  readonly place: number;
  readonly packed: ArrayBuffer;
  readonly genesis?: Genesis;
};

/** By job; undefined where it is not known to be good. */
export type Answer = { readonly place: number; readonly hows: readonly (string | undefined)[] };

function serve({ port, passed, genesis: first }: ThreadOptions): void {
  let genesis = first;
  port.on("message", (chunk: Chunk | null) => {
    if (chunk === null) return port.close();
    genesis = chunk.genesis ?? genesis;
    const { place, packed } = chunk;
    const isNeeded = Atomics.load(passed, place) === 0;
    const hows = isNeeded ? unpack(packed).map((parts) => howOf(genesis, parts)) : [];
    const answer: Answer = { place, hows };
    port.postMessage(answer);
  });
}

function howOf(genesis: Genesis, [bytes, ...records]: readonly Uint8Array[]): string | undefined {
  try {
    return bytes && proofOfOwners(genesis, bytes, records);
  } catch {
    // The main thread meets the same and says what it is (CON-5).
    return undefined;
  }
}

/** Of each job its parts. */
function unpack(packed: ArrayBuffer): Uint8Array[][] {
  const view = new DataView(packed);
  const jobs: Uint8Array[][] = [];
  let at = 0;
  while (at < packed.byteLength) {
    const parts: Uint8Array[] = [];
    const count = view.getUint32(at);
    at += 4;
    for (let i = 0; i < count; i++) {
      const size = view.getUint32(at);
      parts.push(new Uint8Array(packed, at + 4, size));
      at += 4 + size;
    }
    jobs.push(parts);
  }
  return jobs;
}

// Null in the main thread, which imports this file only to prepare it.
if (workerData !== null) serve(workerData as ThreadOptions);
