// Every operator of a scratch network in one process: the real machines, and around them a ledger, wires and disks in
// memory. Time is simulated, so that windows and turns cost nothing; what a rehearsal takes is the work alone.
import type { ScratchNetwork } from "@causeway/chain-core/rehearsal";
import { ScratchChain } from "@causeway/chain-core/rehearsal";
import type { Bls, Bytes32 } from "@causeway/primitives";
import { must, Queue } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import * as machine from "../machine.ts";
import type { ShareName } from "../share-file.ts";
import { shareFileName } from "../share-file.ts";
import type { StoredShare } from "../world.ts";
import { hostKeysOf } from "../world.ts";

/** Simulated ms to the own node and back, and to another signer. */
const callMs = 2;
const wireMs = 10;

type Operator = {
  readonly context: machine.Context;
  state: machine.State;
  /** Events for an earlier process are void. */
  life: number;
  wakeAtMs: number;
  readonly journal: Uint8Array[];
  readonly shares: Map<string, StoredShare>;
};

type Happening =
  | { readonly kind: "block" }
  | {
      readonly kind: "event";
      readonly to: number;
      readonly life: number;
      readonly event: machine.Event;
    };

export class Operators {
  nowMs: number;
  readonly chain: ScratchChain;
  /** Messages between signers, and their bytes; bytes of all journals; blocks. */
  readonly count = { messages: 0, bytes: 0, largest: 0, journal: 0, blocks: 0 };
  /** What a machine said at level warn or error, each text once, with how often. */
  readonly complaints: Map<string, number> = new Map();
  readonly #operators: readonly Operator[];
  readonly #queue = new Queue<Happening>();
  readonly #draw: () => Bytes32;
  readonly #blockMs: number;
  readonly #heartbeatMs: number;
  #lastBlockMs: number;

  /** `draw` gives 32 fresh random bytes at each call. */
  constructor(network: ScratchNetwork, bls: Bls, draw: () => Bytes32) {
    const { genesis, validators } = network;
    this.chain = new ScratchChain(network, bls);
    this.#draw = draw;
    this.#blockMs = genesis.params.blockIntervalMs;
    this.#heartbeatMs = genesis.params.heartbeatMs;
    this.nowMs = genesis.time;
    this.#lastBlockMs = this.nowMs;
    this.#operators = validators.map(({ attest, host, signerPeer }) => {
      const context: machine.Context = {
        genesis,
        bls,
        attestSecret: attest,
        hosts: hostKeysOf([host]),
        peerKey: publicPoint(signerPeer),
      };
      const disk = { journal: [], shares: new Map() };
      return { context, state: machine.initial(context), life: 0, wakeAtMs: 0, ...disk };
    });
    this.#queue.add(this.nowMs + this.#blockMs, { kind: "block" });
    for (const number of this.#operators.keys()) this.start(number);
  }

  get size(): number {
    return this.#operators.length;
  }

  /** The shares on an operator's disk. */
  sharesOf(number: number): readonly ShareName[] {
    return [...must(this.#operators[number], "operator").shares.values()];
  }

  /** The disk with the share files is lost; journal and host key are not. */
  loseShares(number: number): void {
    must(this.#operators[number], "operator").shares.clear();
  }

  /** Starts the operator's process, or starts it again, with what is on its disk. */
  start(number: number): void {
    const operator = must(this.#operators[number], "operator");
    operator.state = machine.initial(operator.context);
    operator.life += 1;
    operator.wakeAtMs = 0;
    const shares = [...operator.shares.values()];
    this.#later(1, number, { kind: "started", journal: [...operator.journal], shares });
    this.#tellHeight(number);
  }

  /** True as soon as `done`, which is asked at every block, false after `msMax` of simulated time. */
  runUntil(done: () => boolean, msMax: number): boolean {
    const until = this.nowMs + msMax;
    if (done()) return true;
    for (let atMs = this.#queue.nextMs(); atMs !== undefined; atMs = this.#queue.nextMs()) {
      if (atMs > until) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      const next = must(this.#queue.take(), "happening");
      if (next.kind === "event") this.#deliver(next.to, next.life, next.event);
      else if (this.#block() && done()) return true;
    }
    return false;
  }

  /** True if there was one. */
  #block(): boolean {
    this.#queue.add(this.nowMs + this.#blockMs, { kind: "block" });
    const isQuiet = !this.chain.isBusy && this.nowMs - this.#lastBlockMs < this.#heartbeatMs;
    if (isQuiet) return false;
    this.#lastBlockMs = this.nowMs;
    this.chain.giveOutput(this.#draw(), this.nowMs);
    this.chain.block(this.nowMs);
    this.count.blocks += 1;
    for (const number of this.#operators.keys()) this.#tellHeight(number);
    return true;
  }

  #tellHeight(number: number): void {
    const { head } = this.chain;
    if (head !== undefined) this.#later(callMs, number, { kind: "height", height: head.height });
  }

  #later(ms: number, to: number, event: machine.Event): undefined {
    const { life } = must(this.#operators[to], "operator");
    this.#queue.add(this.nowMs + ms, { kind: "event", to, life, event });
  }

  #deliver(to: number, life: number, event: machine.Event): void {
    const operator = must(this.#operators[to], "operator");
    if (operator.life !== life) return;
    const input = { nowMs: this.nowMs, entropy: this.#draw(), event };
    const [state, effects] = machine.step(operator.context, operator.state, input);
    operator.state = state;
    for (const effect of effects) this.#perform(to, operator, effect);
  }

  #perform(number: number, operator: Operator, effect: machine.Effect): undefined {
    const answer = (event: machine.Event): undefined => this.#later(callMs, number, event);
    switch (effect.kind) {
      case "prove":
        return answer(this.#proved(effect));
      case "sequence": {
        const next = this.chain.nextSequence(effect.validator);
        return answer({ kind: "sequence", id: effect.id, next });
      }
      case "submit": {
        const { id, transaction } = effect;
        const refused = this.chain.submit(transaction, this.nowMs);
        if (refused === undefined) return answer({ kind: "submitted", id });
        const { code, message } = refused;
        return answer({ kind: "rejected", id, code, message });
      }
      case "send": {
        const { to, bytes } = effect;
        this.count.messages += 1;
        this.count.bytes += bytes.length;
        this.count.largest = Math.max(this.count.largest, bytes.length);
        return this.#later(wireMs, to, { kind: "message", from: number, bytes });
      }
      case "read":
        return answer({ kind: "failed", id: effect.id, code: "unreachable" });
      case "journal":
        this.count.journal += effect.record.length;
        operator.journal.push(effect.record);
        return;
      case "save-share": {
        const { keyId, attempt, seat, share } = effect;
        const stored = { keyId, attempt, seat, share };
        operator.shares.set(shareFileName(stored), stored);
        return;
      }
      case "erase-share":
        operator.shares.delete(shareFileName(effect));
        return;
      case "erase-host":
        // Its deals are gone: whoever steals it opens nothing with it. Here no term brings a new one.
        return;
      case "wake":
        if (operator.wakeAtMs > this.nowMs && operator.wakeAtMs <= effect.atMs) return;
        operator.wakeAtMs = effect.atMs;
        return this.#later(Math.max(0, effect.atMs - this.nowMs), number, { kind: "woke" });
      case "log":
        if (effect.level === "warn" || effect.level === "error") this.#complain(effect);
        return;
      case "end":
        return this.#complain({ message: effect.message, fields: { code: effect.code } });
      case "peers":
        // Everybody hears everybody here.
        return;
    }
  }

  #complain({
    message,
    fields,
  }: Pick<machine.Effect & { kind: "log" }, "message" | "fields">): undefined {
    const text = fields.code === undefined ? message : `${message}: ${fields.code}`;
    this.complaints.set(text, (this.complaints.get(text) ?? 0) + 1);
  }

  #proved({ id, keys, endsFrom }: machine.Effect & { kind: "prove" }): machine.Event {
    const { head, ends } = this.chain;
    if (head === undefined) return { kind: "failed", id, code: "unreachable" };
    const records = keys.map((key) => this.chain.prove(key));
    const way = endsFrom === undefined ? [] : ends.filter(({ height }) => height >= endsFrom);
    return { kind: "proved", id, ...head, records, ends: way };
  }
}
