// Makes a simulated network: four operators, the foreign chains, and what connects them; from nothing, or from the disks
// and chains of a snapshot.
import type { Bls } from "@causeway/primitives";
import { must, seeded } from "@causeway/primitives";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { Genesis } from "../../chain-core/src/ledger/genesis.ts";
import { hostKeysOf } from "../../signer/src/world.ts";
import { createQueue } from "../seeds/queue.ts";
import { createTrace } from "../seeds/trace.ts";
import { best, createBitcoin } from "./bitcoin.ts";
import { createChecks } from "./checkers/checks.ts";
import { createEthereum, head } from "./ethereum.ts";
import type { FaultPlan } from "./faults.ts";
import { noFaults } from "./faults.ts";
import type { Deployed } from "./genesis.ts";
import { operatorCount, operatorSecret, startMs } from "./genesis.ts";
import { replaySome } from "./hostile.ts";
import { createLedger } from "./ledger.ts";
import type { Operator, World } from "./model.ts";
import { createNetwork } from "./network.ts";
import { createNode } from "./node-process.ts";
import {
  createRelay,
  relayBitcoinTip,
  relayDuties,
  relayFinalized,
  relayHeight,
  relayRequests,
} from "./relay-process.ts";
import { createSigner, signerForeignBlock, signerHeight } from "./signer-process.ts";
import type { Snapshot } from "./snapshot.ts";
import { copyChecks, copyEthereum, copyNodeDisk, copySignerDisk } from "./snapshot.ts";

export type Setup = {
  readonly seed: number;
  readonly plan: FaultPlan;
  readonly genesis: Genesis;
  readonly deployed: Deployed;
  readonly bls: Bls;
  /** The nodes share what applying a block gives (ledger.ts). */
  readonly shares: boolean;
  readonly from: Snapshot | undefined;
  readonly print: ((line: string) => void) | undefined;
};

export function createWorld(setup: Setup): World {
  const { seed, plan, genesis, deployed, bls, shares, from, print } = setup;
  const began = from?.atMs ?? startMs;
  const queue = createQueue(began);
  const faults = noFaults();
  const world: World = {
    seed,
    startMs: began,
    random: seeded(seed),
    queue,
    trace: createTrace(began, print),
    plan,
    faults,
    network: createNetwork(queue, seeded(seed ^ 0x77f3_9d01), plan, faults),
    genesis,
    deployed,
    bls,
    ledger: createLedger(genesis, bls, shares),
    bitcoin: createBitcoin(seeded(seed ^ 0x2b9e_11f5), () => queue.now, from?.bitcoin),
    ethereum: from === undefined ? createEthereum(genesis) : copyEthereum(from.ethereum),
    operators: [],
    checks: from === undefined ? createChecks(operatorCount) : copyChecks(from.checks),
    trees: new Map(from?.trees),
    coins: from?.coins ?? [],
    wires: {
      heightFinal: (operator) => {
        signerHeight(world, operator);
        relayHeight(world, operator);
      },
      dutyChanged: (operator) => relayDuties(world, operator),
      blockFinal: (transactions) => replaySome(world, transactions),
      requestsCame: (operator) => relayRequests(world, operator),
      bitcoinSeen: (operator) => {
        relayBitcoinTip(world, operator);
        signerForeignBlock(world, operator, genesis.bitcoin.chain);
      },
      ethereumSeen: (operator) => {
        relayFinalized(world, operator);
        signerForeignBlock(world, operator, world.ethereum.chain.chain);
      },
    },
    draws: from?.draws ?? 0,
    ticket: from?.ticket ?? 0,
  };
  for (let seat = 0; seat < operatorCount; seat++)
    world.operators.push(createOperator(world, seat, from?.disks[seat]));
  return world;
}

function createOperator(
  world: World,
  seat: number,
  disks: Snapshot["disks"][number] | undefined,
): Operator {
  const { genesis, bls, plan, faults, deployed } = world;
  const skewMs = must(plan.skewMs[seat], "skew");
  if (skewMs !== 0) faults["clock-skew"] += 1;
  const isSilent = plan.silent === seat;
  if (isSilent) faults["silent-operator"] += 1;
  const signer = createSigner({
    genesis,
    bls,
    attestSecret: operatorSecret(seat, "attest"),
    hosts: hostKeysOf([operatorSecret(seat, "host")]),
    peerKey: publicPoint(operatorSecret(seat, "signer peer")),
  });
  const node = createNode();
  return {
    seat,
    node: disks === undefined ? node : { ...node, disk: copyNodeDisk(disks.node) },
    signer: disks === undefined ? signer : { ...signer, disk: copySignerDisk(disks.signer) },
    relay: createRelay({
      genesis,
      relaySecret: operatorSecret(seat, "relay"),
      codeHashes: [deployed.codeHash],
    }),
    skewMs,
    isSilent,
    bitcoinTip: best(world.bitcoin),
    ethereumHeight: head(world.ethereum).height,
    bitcoinDown: false,
    ethereumDown: false,
  };
}
