// The beacon in a running node (BCN): after each block its machine learns what the ledger waits for from the own
// validator, the thread walks, and what is found waits here for the relay. And what arrives is judged in the thread
// before the node's machine sees it. Nothing here can stop the node: without a thread it judges by itself.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Bls, Clock, Log } from "@causeway/primitives";
import { Failure } from "@causeway/primitives";
import { replaceFile } from "@causeway/primitives/adapters/journal";
import type { Claim, Verdict } from "../beacon/contribution.ts";
import type { Effect, Event, State } from "../beacon/machine.ts";
import { initial, step } from "../beacon/machine.ts";
import type { Duty } from "../client/beacon-api.ts";
import { isInEnvelope } from "../codec/fast.ts";
import { factsOf } from "../ledger/beacon/facts.ts";
import type { Genesis } from "../ledger/genesis.ts";
import { transactionsIn, transactionsOf } from "../node/message.ts";
import type { LedgerPort } from "../node/port.ts";
import type { BeaconThread } from "./beacon-thread.ts";
import { startBeacon } from "./beacon-thread.ts";
import type { Runtime } from "./node-runtime.ts";
import type { NodeStore, Persist } from "./node-store.ts";

export type BeaconOptions = {
  readonly genesis: Genesis;
  readonly bls: Bls;
  /** The validator's own. */
  readonly secretKey: Uint8Array;
  readonly ledger: LedgerPort;
  readonly store: NodeStore;
  /** The node's folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
};

export type BeaconService = {
  /** After every persisted block. */
  readonly onBlock: (block: Pick<Persist, "height" | "time">) => void;
  /** What the own validator owes the ledger now. */
  readonly duties: () => readonly Duty[];
  /** The runtime, which gets transactions only when what takes long to judge in them is judged. */
  readonly before: (runtime: Runtime) => Runtime;
  readonly stop: () => Promise<void>;
};

/** The relay brings a duty again by itself; this is for a relay that came later. */
const resubmitMs = 60_000;
/** Batches that wait for a verdict; more are judged by the node's machine. */
const waitingMax = 64;

export function beaconService(options: BeaconOptions): BeaconService {
  const { genesis, bls, secretKey, store, log } = options;
  const own = bls.publicKey(secretKey);
  const progress = progressFile(join(options.folder, "beacon.progress"), log);
  const env = { network: genesis.networkId, bls, secretKey, resubmitMs };
  let state: State = initial(env, progress.read());
  let duty: Duty | undefined;
  const thread = lazyThread(log, (event) => run(event));
  const perform = (effect: Effect): void => {
    switch (effect.kind) {
      case "work":
      case "rest":
        duty = undefined;
        thread.work(effect.kind === "work" ? effect.job : undefined);
        return;
      case "journal":
        progress.write(effect.record);
        return;
      case "submit":
        duty = { what: effect.what, body: effect.body };
        log.debug("the beacon has something to bring", { what: effect.what });
    }
  };
  const run = (event: Event): void => {
    const [next, effects] = step(state, event);
    state = next;
    for (const effect of effects) perform(effect);
  };
  return {
    onBlock: ({ height, time }) => {
      // Several are written at once, and the state is the newest one's.
      if (height === store.head().height)
        run({ kind: "facts", facts: factsOf(store.state, genesis, time, own) });
    },
    duties: () => (duty === undefined ? [] : [duty]),
    before: (runtime) => judgingAhead(runtime, options, thread),
    stop: thread.stop,
  };
}

/** One record, replaced as a whole. What is lost is work, so that a full disk is a warning. */
function progressFile(
  path: string,
  log: Log,
): { readonly read: () => Uint8Array | undefined; readonly write: (record: Uint8Array) => void } {
  return {
    read: () => {
      try {
        return Uint8Array.from(readFileSync(path));
      } catch {
        return undefined;
      }
    },
    write: (record) => {
      try {
        replaceFile(path, [record]);
      } catch (error) {
        log.warn("cannot keep how far the beacon's walk is", { error });
      }
    },
  };
}

type LazyThread = Pick<BeaconThread, "work" | "stop"> & {
  /** Undefined where there is nobody to judge. */
  readonly judge: (claim: Claim) => Promise<Verdict | undefined>;
};

/** Started with the first job or claim; once it died there is none. */
function lazyThread(log: Log, report: (event: Event) => void): LazyThread {
  let thread: BeaconThread | undefined;
  let isOver = false;
  const start = (): BeaconThread | undefined => {
    if (isOver || thread !== undefined) return thread;
    thread = startBeacon(report);
    thread.died.catch((error: unknown) => {
      isOver = true;
      thread = undefined;
      log.error("the beacon's thread died: this validator contributes no more", { error });
    });
    return thread;
  };
  return {
    work: (job) => {
      if (job !== undefined || thread !== undefined) start()?.work(job);
    },
    judge: async (claim) => {
      try {
        return await start()?.judge(claim);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        log.debug("a claim is judged without the thread", { error });
        return undefined;
      }
    },
    stop: async () => {
      isOver = true;
      await thread?.stop();
      thread = undefined;
    },
  };
}

/** Holds back transactions whose claims the thread judges first; everything else goes through as it came. */
function judgingAhead(
  runtime: Runtime,
  { ledger, store, clock, log }: BeaconOptions,
  thread: LazyThread,
): Runtime {
  let waiting = 0;
  const judged = async (transactions: readonly Uint8Array[]): Promise<void> => {
    const claims = await runtime.read(({ tip }) => {
      const next = { height: tip.height + 1, time: Math.max(clock.nowMs(), tip.time + 1) };
      return transactions.map((bytes) => ledger.openClaim?.(store.state, next, bytes));
    });
    for (const claim of claims) {
      const verdict = claim && (await thread.judge(claim));
      if (claim !== undefined && verdict !== undefined) ledger.learn?.(claim, verdict);
    }
  };
  /** What is to be waited for before these may go on, if anything. */
  const ahead = (transactions: readonly Uint8Array[]): Promise<void> | undefined => {
    const brought = transactions.filter(isInEnvelope);
    if (brought.length === 0 || waiting >= waitingMax) return undefined;
    waiting += 1;
    return judged(brought)
      .catch((error: unknown) => log.debug("claims are left to the node's machine", { error }))
      .finally(() => {
        waiting -= 1;
      });
  };
  // To the machine a peer that speaks is connected: what waited must not speak for one that left.
  const held = new Set<{ readonly from: string; isGone: boolean }>();
  const stays = async (from: string, wait: Promise<void>): Promise<boolean> => {
    const one = { from, isGone: false };
    held.add(one);
    await wait;
    held.delete(one);
    return !one.isGone;
  };
  return {
    ...runtime,
    message: (from, bytes) => {
      const deliver = (): void => runtime.message(from, bytes);
      const wait = ahead(transactionsIn(bytes));
      if (wait === undefined) deliver();
      else stays(from, wait).then((isHere) => isHere && deliver(), deliver);
    },
    gossip: async (from, topic, bytes, judge) => {
      const wait = topic === "transactions" ? ahead(transactionsOf(bytes)) : undefined;
      if (wait !== undefined && !(await stays(from, wait))) return "ignore";
      return runtime.gossip(from, topic, bytes, judge);
    },
    disconnected: (peer) => {
      for (const one of held) if (one.from === peer) one.isGone = true;
      runtime.disconnected(peer);
    },
    submit: async (topic, bytes) => {
      if (topic === "transactions") await ahead([bytes]);
      return runtime.submit(topic, bytes);
    },
  };
}
