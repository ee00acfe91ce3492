// The beacon of an operator's node: its machine between the ledger and a thread, whose walks are done in no time of this
// process and some of the simulation. What it owes goes to the own relay.
import { beaconField } from "../../chain-core/src/beacon/field.ts";
import type { Event, Job } from "../../chain-core/src/beacon/machine.ts";
import * as machine from "../../chain-core/src/beacon/machine.ts";
import { search } from "../../chain-core/src/beacon/seqpow.ts";
import { advance } from "../../chain-core/src/beacon/sloth.ts";
import { factsOf } from "../../chain-core/src/ledger/beacon/facts.ts";
import { threw } from "../seeds/violation.ts";
import { operatorSecret } from "./genesis.ts";
import { readerOf } from "./ledger.ts";
import type { Operator, World } from "./model.ts";
import { later } from "./process.ts";

const resubmitMs = 5_000;
const walkMinMs = 100;
const walkSpanMs = 900;

/** With what is on the disk. */
export function startBeacon(world: World, { node, seat }: Operator): void {
  const { genesis, bls } = world;
  const secretKey = operatorSecret(seat, "consensus");
  const env = { network: genesis.networkId, bls, secretKey, resubmitMs };
  node.beacon = { state: machine.initial(env, node.disk.progress), duty: undefined };
}

/** The node wrote a block. */
export function beaconHeight(world: World, operator: Operator): void {
  const { node, seat } = operator;
  const key = world.bls.publicKey(operatorSecret(seat, "consensus"));
  const facts = factsOf(readerOf(node.disk), world.genesis, node.disk.time, key);
  run(world, operator, { kind: "facts", facts });
}

function run(world: World, operator: Operator, event: Event): void {
  const { node, seat } = operator;
  const { beacon } = node;
  if (beacon === undefined) return;
  const before = beacon.duty;
  try {
    const [next, effects] = machine.step(beacon.state, event);
    beacon.state = next;
    for (const effect of effects)
      switch (effect.kind) {
        case "work":
          beacon.duty = undefined;
          walk(world, operator, effect.job);
          break;
        case "rest":
          beacon.duty = undefined;
          break;
        case "journal":
          node.disk.progress = effect.record;
          break;
        case "submit":
          beacon.duty = { what: effect.what, body: effect.body };
      }
  } catch (error) {
    threw(`node ${seat} at beacon`, error);
  }
  if (beacon.duty !== before) world.wires.dutyChanged(operator);
}

/** A job that was replaced meanwhile is done in vain: the machine knows. */
function walk(world: World, operator: Operator, job: Job): void {
  const { node, seat } = operator;
  const ms = walkMinMs + world.random.below(walkSpanMs);
  later(world, node, ms, `walk ${seat}`, () => run(world, operator, finish(job)));
}

function finish(job: Job): Event {
  const { id, from } = job;
  if (job.kind === "solve")
    return { kind: "walked", id, ...search(job.puzzle, from, Number.POSITIVE_INFINITY) };
  const end = advance(beaconField, from, job.until - from.index);
  return { kind: "walked", id, status: "solved", walk: end };
}
