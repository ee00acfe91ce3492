// How long ROAST takes over a network of 153 ms round trip (the setting of Ruffing and others, CCS 2022): the real
// coordinator and signers, each on a processor of its own that is busy for the CPU time its steps really take here.
// Time starts when the coordinator asks for commitments and ends with a verified signature.
import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import { evaluate } from "@causeway/chain-core/ring";
import type { Bytes32, NetworkId, Rejected } from "@causeway/primitives";
import { assert, bytes32, fromBigEndian, isRejected, must } from "@causeway/primitives";
import { publicPoint, scalarBytes } from "@causeway/primitives/secp256k1";
import * as roast from "../../signer/src/roast/coordinator.ts";
import type { Commit, SessionOpen } from "../../signer/src/roast/message.ts";
import { commitCodec, sessionOpenCodec, shareCodec } from "../../signer/src/roast/message.ts";
import type { NoncePool } from "../../signer/src/roast/participant.ts";
import {
  checkOpen,
  emptyPool,
  makeCommit,
  makeShare,
  takeNonces,
} from "../../signer/src/roast/participant.ts";
import { breathMs } from "../../signer/src/roast/report.ts";
import type { Job } from "../../signer/src/roast/session.ts";
import { cpuMs } from "./cpu.ts";

const oneWayMs = 153 / 2;

/**
 * Each has n - t members. static: they answer with wrong shares. adaptive: they are the first to be ready, and in each
 * session one of them goes silent while the others answer right: the worst that is possible.
 */
export type Adversary = "none" | "static" | "adaptive";

export type RoastReport = {
  readonly runs: readonly {
    readonly t: number;
    readonly n: number;
    readonly adversary: Adversary;
    /** Median of three. */
    readonly seconds: number;
    readonly sessions: number;
    /** Of the coordinator, and of all signers together. */
    readonly coordinatorCpuMs: number;
    readonly signersCpuMs: number;
  }[];
  /** One round of honest seats over many messages, one run each. */
  readonly batches: readonly {
    readonly t: number;
    readonly n: number;
    readonly messages: number;
    readonly seconds: number;
    /** One, but for a signer that is late by more than a breath. */
    readonly sessions: number;
    readonly messagesPerSecond: number;
    readonly coordinatorCpuMs: number;
    /** Of one of t signers: commitment, session, shares and the next commitment. */
    readonly signerCpuMs: number;
    /** Bytes that one signer sends, and that it hears. */
    readonly sent: number;
    readonly heard: number;
  }[];
  readonly load: number;
};

type Run = Omit<RoastReport["runs"][number], "t" | "n" | "adversary">;

const batchSizes = [1, 100, 1_000];

/** `sizes` as pairs t/n. */
export function run(sizes: string): RoastReport {
  const adversaries: readonly Adversary[] = ["none", "static", "adaptive"];
  simulate(dealt(11, 15), "adaptive");
  const runs = sizes.split(",").flatMap((size) => {
    const [t = 0, n = 0] = size.split("/").map(Number);
    const ring = dealt(t, n);
    return adversaries.map((adversary) => {
      const three = [1, 2, 3].map(() => simulate(ring, adversary));
      const median = must(three.toSorted((a, b) => a.seconds - b.seconds)[1], "run");
      return { t, n, adversary, ...median };
    });
  });
  const batches = ["3/4", "67/100"].flatMap((size) => {
    const [t = 0, n = 0] = size.split("/").map(Number);
    return batchSizes.map((messages) => ({ t, n, messages, ...batch(dealt(t, n, messages)) }));
  });
  return { runs, batches, load: loadavg()[0] ?? 0 };
}

function batch(ring: Ring): Omit<RoastReport["batches"][number], "t" | "n" | "messages"> {
  const { group, inputs } = ring.job;
  const network = start(ring, "none");
  const { doneAtMs = 0, sessions, coordinatorCpuMs, signersCpuMs, sent, heard } = network;
  const seconds = doneAtMs / 1_000;
  return {
    seconds,
    sessions,
    messagesPerSecond: Math.round(inputs.length / seconds),
    coordinatorCpuMs,
    signerCpuMs: signersCpuMs / group.t,
    sent: Math.round(sent / group.t),
    heard: Math.round(heard / group.t),
  };
}

type Ring = { readonly job: Job; readonly shares: readonly Bytes32[] };

/** By a dealer: how a key is made is another benchmark's question. */
function dealt(t: number, n: number, messages: number = 1): Ring {
  const fresh = () => new Uint8Array(randomBytes(32));
  const polynomial = Array.from({ length: t }, () => fromBigEndian(fresh()) >> 1n);
  const shares = Array.from({ length: n }, (_, seat) => scalarBytes(evaluate(polynomial, seat)));
  const thresholdPoint = publicPoint(scalarBytes(must(polynomial[0], "secret")));
  const points = new Map(shares.map((share, seat) => [seat, publicPoint(share)]));
  const group = { n, t, thresholdPoint, shares: points };
  const inputs = Array.from({ length: messages }, () => ({
    message: bytes32(fresh()),
    tweaks: [],
  }));
  const network = fresh() as NetworkId;
  return {
    shares,
    job: { network, keyId: 1, attempt: 0, request: fresh(), coordinator: 0, group, inputs },
  };
}

type Message =
  | { readonly to: "coordinator"; readonly event: roast.Event }
  /** Without an opening: the coordinator asks for a commitment. */
  | { readonly to: number; readonly open: SessionOpen | undefined };

function simulate(ring: Ring, adversary: Adversary): Run {
  const { doneAtMs = 0, sessions, coordinatorCpuMs, signersCpuMs } = start(ring, adversary);
  return { seconds: doneAtMs / 1_000, sessions, coordinatorCpuMs, signersCpuMs };
}

/** A network that has signed. */
function start(ring: Ring, adversary: Adversary): Network {
  const network = new Network(ring, adversary);
  const { n } = ring.job.group;
  for (let seat = 0; seat < n; seat++) network.send(0, { to: seat, open: undefined });
  while (network.doneAtMs === undefined) network.next();
  return network;
}

class Network {
  doneAtMs: number | undefined;
  sessions = 0;
  coordinatorCpuMs = 0;
  signersCpuMs = 0;
  /** Bytes to and from the coordinator. */
  sent = 0;
  heard = 0;
  readonly #job: Job;
  readonly #shares: readonly Bytes32[];
  readonly #adversary: Adversary;
  readonly #pools = new Map<number, NoncePool>();
  readonly #busyUntil = new Map<Message["to"], number>();
  readonly #queue: { readonly at: number; readonly message: Message }[] = [];
  /** Members that went silent. */
  readonly #spent = new Set<number>();
  #state: roast.State;

  constructor({ job, shares }: Ring, adversary: Adversary) {
    this.#job = job;
    this.#shares = shares;
    this.#adversary = adversary;
    this.#state = roast.initial(job);
  }

  #hostile(seat: number): boolean {
    const { n, t } = this.#job.group;
    return this.#adversary !== "none" && seat < n - t;
  }

  send(fromMs: number, message: Message): void {
    this.deliver(fromMs + oneWayMs, message);
  }

  deliver(at: number, message: Message): void {
    const after = this.#queue.findIndex((one) => one.at > at);
    this.#queue.splice(after < 0 ? this.#queue.length : after, 0, { at, message });
  }

  next(): void {
    const { at, message } = must(this.#queue.shift(), "nothing is under way and nothing is signed");
    const { to } = message;
    const start = Math.max(at, this.#busyUntil.get(to) ?? 0);
    const [effects, ms] = cpuMs(() =>
      message.to === "coordinator" ? this.#step(message.event) : this.#sign(message),
    );
    const end = start + ms;
    this.#busyUntil.set(to, end);
    if (to === "coordinator") this.coordinatorCpuMs += ms;
    else this.signersCpuMs += ms;
    for (const effect of effects) this.#follow(end, effect);
  }

  #follow(at: number, effect: roast.Effect | roast.Event): void {
    if (effect.kind === "committed") {
      this.sent += commitCodec.encode(effect.commit).length;
      this.#tell(at, effect);
    } else if (effect.kind === "answered") {
      this.sent += shareCodec.encode(effect.share).length;
      this.#tell(at, effect);
    } else if (effect.kind === "open") this.#open(at, effect);
    else if (effect.kind === "wait") {
      const atMs = at + breathMs(this.#job.inputs.length);
      this.deliver(atMs, { to: "coordinator", event: { kind: "waited" } });
    } else if (effect.kind === "done") this.doneAtMs = at;
    else if (effect.kind === "malicious")
      assert(this.#hostile(effect.seat), "an honest seat is called malicious");
  }

  #open(at: number, { open, recipients }: roast.Effect & { readonly kind: "open" }): void {
    this.sessions += 1;
    const member = recipients.find((seat) => this.#hostile(seat) && !this.#spent.has(seat));
    if (this.#adversary === "adaptive" && member !== undefined) this.#spent.add(member);
    this.heard += recipients.length * sessionOpenCodec.encode(open).length;
    for (const to of recipients) this.send(at, { to, open });
  }

  /** The adaptive adversary's members take no time on the way: they are the first to be ready. */
  #tell(at: number, event: roast.Event & { readonly seat: number }): void {
    const isFast = this.#adversary === "adaptive" && this.#hostile(event.seat);
    this.deliver(isFast ? at : at + oneWayMs, { to: "coordinator", event });
  }

  #step(event: roast.Event): readonly roast.Effect[] {
    const [state, effects] = roast.step(this.#state, event);
    this.#state = state;
    return effects;
  }

  #sign({ to: seat, open }: Message & { readonly to: number }): readonly roast.Event[] {
    const share = must(this.#shares[seat], "share");
    if (open === undefined) return [{ kind: "committed", seat, commit: this.#commit(seat) }];
    if (this.#spent.has(seat)) return [];
    const checked = accepted(checkOpen(this.#job, seat, open, undefined));
    const taken = accepted(takeNonces(this.#pools.get(seat) ?? emptyPool, checked.commitment));
    this.#pools.set(seat, taken.pool);
    // Any secret costs what the host key's signature does.
    const host = { secret: share, aux: new Uint8Array(randomBytes(32)) };
    const answer = makeShare(checked, seat, share, taken.nonces, this.#commit(seat), host);
    const isWrong = this.#adversary === "static" && this.#hostile(seat);
    const wrong = { ...answer, shares: answer.shares.map(() => share) };
    return [{ kind: "answered", seat, share: isWrong ? wrong : answer }];
  }

  #commit(seat: number): Commit {
    const share = must(this.#shares[seat], "share");
    const entropy = new Uint8Array(randomBytes(32));
    const pool = this.#pools.get(seat) ?? emptyPool;
    const made = accepted(makeCommit(pool, this.#job, seat, 1, share, entropy));
    this.#pools.set(seat, made.pool);
    return made.commit;
  }
}

function accepted<T>(value: T): Exclude<T, Rejected> {
  if (isRejected(value)) throw new Error(`${value.code}: ${value.message}`);
  return value as Exclude<T, Rejected>;
}
