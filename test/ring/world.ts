// The world of a seed as it is made: queue, randomness, ledger and operators.
import { seeded } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { validatorSecret } from "../../chain-core/src/ledger/testing.ts";
import { hostKeysOf } from "../../signer/src/machine.ts";
import type { BlsTable } from "../seeds/bls.ts";
import { tableBls } from "../seeds/bls.ts";
import { createQueue } from "../seeds/queue.ts";
import { createTrace } from "../seeds/trace.ts";
import { createLedger } from "./ledger.ts";
import type { Coalition, Operator, World } from "./model.ts";
import { hostSecretOf } from "./model.ts";
import { send, submit } from "./operator.ts";
import type { Plan } from "./plan.ts";
import { noCounts } from "./strategies.ts";

export const startMs = 1_800_000_060_000;

/** With all its operators, none of them started. */
export function createWorld(seed: number, plan: Plan, print?: (line: string) => void): World {
  const table: BlsTable = new Map();
  const bls = tableBls(table);
  const queue = createQueue(startMs);
  const world: World = {
    plan,
    bls,
    ledger: createLedger(plan.size, bls),
    queue,
    startMs,
    trace: createTrace(startMs, print),
    counts: noCounts(),
    operators: [],
    seconds: [],
    random: {
      network: seeded(seed * 8 + 2),
      crash: seeded(seed * 8 + 3),
      users: seeded(seed * 8 + 4),
      entropy: seeded(seed * 8 + 5),
    },
    requests: new Map(),
    epochs: new Map(),
    blamed: new Map(),
    points: new Map(),
    terms: 0,
    send: (from, to, bytes) => send(world, from, to, bytes),
    submit: (from, transaction) => submit(world, from, transaction),
    print: print && ((line) => print(`${String(queue.now - startMs).padStart(10)} ${line}`)),
    healed: false,
  };
  const coalition: Coalition = { heard: [] };
  for (let index = 0; index < plan.size; index++)
    world.operators.push(createOperator(world, index, coalition, seed));
  return world;
}

function createOperator(
  { plan, ledger, bls }: World,
  index: number,
  coalition: Coalition,
  seed: number,
): Operator {
  const strategies = plan.byzantine.get(index);
  return {
    index,
    context: {
      genesis: ledger.genesis,
      bls,
      attestSecret: validatorSecret(index, "attestKey"),
      hosts: hostKeysOf([hostSecretOf(index)]),
      peerKey: publicPoint(validatorSecret(index, "signerPeerKey")),
    },
    disk: { journal: [], shares: new Map() },
    images: [],
    hasForgotten: false,
    isSecond: false,
    durable: new Map(),
    state: undefined,
    boot: 0,
    writes: 0,
    wakeAtMs: Number.POSITIVE_INFINITY,
    skewMs: 0,
    peers: new Set(),
    head: undefined,
    adversary: strategies && {
      strategies,
      random: seeded(seed * 64 + index),
      coalition,
      done: new Set(),
    },
    said: { released: new Map(), nonces: new Map(), shares: new Map(), slots: new Map() },
  };
}
