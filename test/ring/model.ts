// The world of one seed.
import type { Plan as LedgerPlan, Seat } from "@causeway/chain-core/interchain";
import { roles } from "@causeway/chain-core/interchain";
import type { Bls, Random } from "@causeway/primitives";
import { equal, must } from "@causeway/primitives";
import { validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import type * as machine from "../../signer/src/machine.ts";
import type { Queue } from "../seeds/queue.ts";
import type { Trace } from "../seeds/trace.ts";
import type { Head, Ledger } from "./ledger.ts";
import type { Plan } from "./plan.ts";
import type { Counts, MemberStrategy } from "./strategies.ts";

/** What survives a crash. */
export type Disk = {
  readonly journal: Uint8Array[];
  /** By name: key, epoch and seat. */
  readonly shares: Map<string, machine.StoredShare>;
};

/** What an honest signer has said in all its lives, for the checkers. */
export type Said = {
  /** Of each released commitment: the session that used it, and the plans of that one. */
  readonly released: Map<string, { readonly sid: string; readonly plans: Set<string> }>;
  /** Of each public nonce: the commitment that it stood in. */
  readonly nonces: Map<string, string>;
  /** Of each session and seat: the partial signatures that left. */
  readonly shares: Map<string, string>;
  /** Of each slot: the message. */
  readonly slots: Map<string, string>;
};

/** What the Byzantine members of a seed share: the newest messages of all kinds that one of them heard or said. */
export type Coalition = { readonly heard: Uint8Array[] };

/** A member that need not follow the protocol. */
export type Adversary = {
  readonly strategies: readonly MemberStrategy[];
  readonly random: Random;
  readonly coalition: Coalition;
  /** What was done once, by name. */
  readonly done: Set<string>;
};

/** A Byzantine one. */
export type Byzantine = Operator & { readonly adversary: Adversary };

export type Operator = {
  readonly index: number;
  readonly context: machine.Context;
  disk: Disk;
  /** The disk as it was at some times before, oldest first. */
  readonly images: Disk[];
  /** It had an older disk, or a second process: there are numbers that its journal does not know. */
  hasForgotten: boolean;
  /** Another process with the same keys, on a copy of the folder. */
  readonly isSecond: boolean;
  /** By session and seat: how many messages the journal has as released. */
  readonly durable: Map<string, number>;
  /** Undefined while it is down. */
  state: machine.State | undefined;
  /** Orders of a past life are void. */
  boot: number;
  writes: number;
  wakeAtMs: number;
  skewMs: number;
  /** Whom it hears, by its last order. */
  peers: ReadonlySet<number>;
  /** What the own node has. */
  head: Head | undefined;
  /** Absent in honest ones. */
  readonly adversary: Adversary | undefined;
  readonly said: Said;
};

/** Something that the ring is to sign, as the ledger planned it. */
export type Request = {
  readonly id: Uint8Array;
  readonly plan: LedgerPlan;
  readonly askedAtMs: number;
  signedAtMs?: number;
  /** The ledger put another content in its place. */
  isReplaced: boolean;
};

/** The public side of one set of shares. */
export type Epoch = {
  readonly keyId: number;
  readonly attempt: number;
  readonly groupPoint: Uint8Array;
  readonly threshold: number;
  /** Operator by seat. */
  readonly holders: readonly number[];
  /** The merged commitments: what each seat's public share must be. */
  readonly commitments: readonly Uint8Array[];
};

export type World = {
  readonly plan: Plan;
  readonly bls: Bls;
  readonly ledger: Ledger;
  readonly queue: Queue;
  readonly startMs: number;
  readonly trace: Trace;
  readonly counts: Counts;
  readonly operators: Operator[];
  /** Second processes of some. */
  readonly seconds: Operator[];
  readonly random: {
    readonly network: Random;
    readonly crash: Random;
    readonly users: Random;
    readonly entropy: Random;
  };
  /** Requests of users, and canaries, by the hex of the plan's id. */
  readonly requests: Map<string, Request>;
  /** Terms of rings begun. */
  terms: number;
  /** By "key/attempt", the newest as the ledger has it. */
  readonly epochs: Map<string, Epoch>;
  /** By operator: what it is blamed for. */
  readonly blamed: Map<number, Set<string>>;
  /** By key: its point, which resharing does not change. */
  readonly points: Map<number, string>;
  /** Bytes to another operator's signer over the wires. */
  readonly send: (from: Operator, to: number, bytes: Uint8Array) => void;
  /** A transaction to the ledger. */
  readonly submit: (from: Operator, transaction: Uint8Array) => void;
  /** Set in a replay: every message. */
  readonly print: ((line: string) => void) | undefined;
  healed: boolean;
};

export function isByzantine(operator: Operator): operator is Byzantine {
  return operator.adversary !== undefined;
}

export function isHonest(operator: Operator): boolean {
  return !isByzantine(operator);
}

/** Of an operator's host key. */
export function hostSecretOf(index: number): Uint8Array {
  return validatorSecret(index, "hostKey");
}

/** The operator of each seat. */
export function operatorsOf(
  { ledger }: World,
  { seats }: { readonly seats: readonly Pick<Seat, "validator">[] },
): number[] {
  const { validators } = ledger.genesis;
  return seats.map(({ validator }) => validators.findIndex(({ owner }) => equal(owner, validator)));
}

export function plays({ adversary }: Byzantine, strategy: MemberStrategy): boolean {
  return adversary.strategies.includes(strategy);
}

/** The processes that have an operator's keys. */
export function processesOf({ operators, seconds }: World, index: number): Operator[] {
  return [...operators, ...seconds].filter((one) => one.index === index);
}

export function clockOf(world: World, operator: Operator): number {
  return world.queue.now + operator.skewMs;
}

export function senderOf(
  { ledger }: World,
  { index }: Operator,
): { readonly validator: Uint8Array; readonly role: number } {
  const { owner } = must(ledger.genesis.validators[index], "validator");
  return { validator: owner, role: roles.signer };
}
