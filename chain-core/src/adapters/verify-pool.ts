// Threads that verify signatures while the main thread goes on (ledger/ahead.ts). Nobody waits for them: the main thread
// looks what is there, and verifies itself what is not. Their answers are read without a turn of the event loop, so
// that the ledger stays one synchronous function.
import { availableParallelism } from "node:os";
import type { MessagePort } from "node:worker_threads";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import type { Log } from "@causeway/primitives";
import type { Helpers, Job } from "../ledger/env.ts";
import type { Genesis } from "../ledger/genesis.ts";
import type { Answer, Chunk, ThreadOptions } from "./verify-thread.ts";

/** Jobs of one message: about 2 ms of work. */
const chunkJobs = 32;
/** Chunks that wait, of all threads: 32,768 jobs, two full blocks. */
const chunksMax = 1_024;

/** By default. */
const threadsMax = 4;

export type VerifyPool = Helpers & { readonly close: () => Promise<void> };

type Thread = {
  readonly worker: Worker;
  readonly port: MessagePort;
  genesis: Genesis;
};

/** As configured; else every core but the main thread's, unless other nodes need them. */
export function verifyThreads(config: {
  readonly verifyThreads: number | undefined;
  readonly oneMachine: boolean;
}): number {
  return (
    config.verifyThreads ??
    (config.oneMachine ? 0 : Math.min(threadsMax, availableParallelism() - 1))
  );
}

/** `threads` at least 1. When one dies, all end: the ledger does without. */
export function verifyPool(genesis: Genesis, threads: number, log: Log): VerifyPool {
  /** By place of the chunk: 1 when the main thread has come to it. */
  const passed = new Int32Array(new SharedArrayBuffer(4 * chunksMax));
  const live: Thread[] = [];
  /** By place: what waits or is under way there. */
  const chunks: (readonly string[] | undefined)[] = new Array(chunksMax).fill(undefined);
  const places = new Map<string, number>();
  let next = 0;
  for (let i = 0; i < threads; i++) live.push(startThread(genesis, passed));
  const close = async (): Promise<void> => {
    passed.fill(1);
    await Promise.all(live.splice(0).map(endThread));
  };
  for (const { worker } of live)
    worker.on("error", (error) => {
      log.warn("a thread that verifies signatures died", { error });
      close().catch((cause: unknown) => log.warn("cannot end a thread", { cause }));
    });

  function send(thread: Thread, of: Genesis, jobs: readonly Job[]): void {
    const place = next++ % chunksMax;
    chunks[place] = jobs.map((job) => job.of);
    for (const job of jobs) places.set(job.of, place);
    Atomics.store(passed, place, 0);
    const packed = pack(jobs);
    const chunk: Chunk = { place, packed, ...(thread.genesis !== of && { genesis: of }) };
    thread.genesis = of;
    thread.port.postMessage(chunk, [packed]);
  }
  return {
    give: (of, jobs) => {
      for (let end = jobs.length; end > 0; end -= chunkJobs) {
        const thread = live[next % live.length];
        if (thread === undefined || chunks[next % chunksMax] !== undefined) return;
        send(thread, of, jobs.slice(Math.max(0, end - chunkJobs), end));
      }
    },
    done: (of) => {
      const place = places.get(of);
      if (place !== undefined) Atomics.store(passed, place, 1);
    },
    take: () => {
      const found: [string, string][] = [];
      for (const { port } of live)
        for (let got = receiveMessageOnPort(port); got; got = receiveMessageOnPort(port)) {
          const { place, hows } = got.message as Answer;
          for (const [i, of] of (chunks[place] ?? []).entries()) {
            places.delete(of);
            const how = hows[i];
            if (how !== undefined) found.push([of, how]);
          }
          chunks[place] = undefined;
        }
      return found;
    },
    close,
  };
}

/** It ends by itself: native code that is cut off in the middle takes the whole process with it. */
function endThread({ worker, port }: Thread): Promise<void> {
  const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  // Who waits for its end does not end before it.
  worker.ref();
  port.postMessage(null);
  return ended;
}

function startThread(genesis: Genesis, passed: Int32Array): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const workerData: ThreadOptions = { genesis, passed, port: port2 };
  const worker = new Worker(new URL("./verify-thread.ts", import.meta.url), {
    workerData,
    transferList: [port2],
  });
  // It keeps no process alive.
  worker.unref();
  port.unref();
  return { worker, port, genesis };
}

/** One buffer of a chunk's jobs, each part behind its size: it changes hands without a copy. */
function pack(jobs: readonly Job[]): ArrayBuffer {
  const parts = jobs.map(({ bytes, records }) => [bytes, ...records]);
  let size = 0;
  for (const of of parts) for (const part of of) size += 4 + part.length;
  const packed = new ArrayBuffer(size + 4 * jobs.length);
  const [out, view] = [new Uint8Array(packed), new DataView(packed)];
  let at = 0;
  for (const of of parts) {
    view.setUint32(at, of.length);
    at += 4;
    for (const part of of) {
      view.setUint32(at, part.length);
      out.set(part, at + 4);
      at += 4 + part.length;
    }
  }
  return packed;
}
