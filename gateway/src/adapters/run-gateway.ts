// The composition of the gateway, relay and portal in one with the operator's bus: each port meets its adapter here.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { nodeClient } from "@causeway/chain-core/client";
import type { HealthState } from "@causeway/chain-core/foreign";
import { bitcoinNode, ethereumNode, healthState } from "@causeway/chain-core/foreign";
import type { Artifact, Genesis } from "@causeway/chain-core/interchain";
import { gatewayCodeHash, parseGenesis, templateHash } from "@causeway/chain-core/interchain";
import type { Log } from "@causeway/primitives";
import { equal, Failure, isRejected, toHex } from "@causeway/primitives";
import { openBus } from "@causeway/primitives/adapters/bus";
import { startBusServer } from "@causeway/primitives/adapters/bus-server";
import { systemClock } from "@causeway/primitives/adapters/clock";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { startLog } from "@causeway/primitives/adapters/log";
import { addressOf } from "@causeway/primitives/secp256k1";
import type { PartHealth } from "../ports.ts";
import type { Context } from "../relay/machine.ts";
import type { GatewayConfig } from "./config.ts";
import type { EvmSender } from "./evm-sender.ts";
import { evmSender } from "./evm-sender.ts";
import { startPortalServer } from "./portal-server.ts";
import type { Relay, RelayOptions } from "./relay-runtime.ts";
import { relayRuntime } from "./relay-runtime.ts";
import { openRequestStore } from "./request-store.ts";
import { readSignerHealth } from "./signer-health.ts";

type Bus = ReturnType<typeof openBus>;
type Parts = Readonly<Record<"node" | "bitcoin" | "ethereum" | "bus" | "validator", HealthState>>;

export type RunningGateway = {
  /** Fields of the ready line. */
  readonly ready: Readonly<Record<string, unknown>>;
  /** Rejects when the gateway cannot go on; it starts again from the ledger and its journals. */
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Throws the Failure that says what the operator must mend. */
export async function runGateway(config: GatewayConfig): Promise<RunningGateway> {
  const log = startLog("gateway", config.logLevel);
  const genesis = parseGenesis(read(config.genesis), read(config.proofs), createBls());
  if (isRejected(genesis)) throw new Failure(genesis.code, genesis.message);
  const context = contextOf(config, genesis);
  const stopping = new AbortController();
  const { signal } = stopping;
  const busServer = await startBusServer({
    socket: config.bus,
    folder: join(config.data, "bus"),
    log,
  });
  const bus = openBus({ socket: config.bus, log });
  const state = (): HealthState => healthState(systemClock);
  const [node, bitcoin, ethereum, validator] = [state(), state(), state(), state()];
  const parts: Parts = { node, bitcoin, ethereum, bus: state(), validator };
  const requests = openRequestStore(join(config.data, "requests.journal"), systemClock.nowMs());
  const outside = outsideOf(config, genesis, log);
  const broken = Promise.withResolvers<void>();
  const relay = relayRuntime({
    context,
    ...outside,
    bus,
    requests,
    health: parts,
    clock: systemClock,
    log,
    signal,
    onDeath: broken.reject,
  });
  // From portals that are processes of their own.
  bus.subscribe("requests", "relay", async (bytes) => relay.request(bytes));
  const health = (): Promise<Record<string, PartHealth>> =>
    healthOf(config, parts, bus, { sender: outside.ethereum?.sender, owner: relay.state.owner });
  const portal = await servePortal(config, { genesis, relay, outside, health, log });
  relay.run().catch(broken.reject);
  return {
    ready: {
      network: toHex(genesis.networkId),
      portal: `http://${config.listenHost}:${portal.port}`,
      pid: process.pid,
    },
    ended: broken.promise,
    stop: async () => {
      stopping.abort();
      relay.stop();
      await portal.close();
      await bus.close();
      await busServer.close();
      requests.close();
    },
  };
}

type Outside = Pick<RelayOptions, "ledger" | "bitcoin" | "ethereum">;

function outsideOf(config: GatewayConfig, genesis: Genesis, log: Log): Outside {
  const auth = config.bitcoinAuth;
  const bitcoin = rpcClient({ url: config.bitcoinRpc, ...(auth && { auth }) });
  const [chain] = genesis.evm;
  const call = rpcClient({ url: config.ethereumRpc });
  return {
    ledger: nodeClient(rpcClient({ url: config.nodeRpc })),
    bitcoin: { node: bitcoinNode(bitcoin, genesis.bitcoin.chain), call: bitcoin },
    ethereum: chain && {
      node: ethereumNode(call, chain.chainId),
      sender: evmSender({ call, chain, secret: config.secrets.evm, clock: systemClock, log }),
    },
  };
}

/** Throws Failure when the artifact is not the genesis' contract. */
function contextOf(config: GatewayConfig, genesis: Genesis): Context {
  const artifact = readArtifact(config.artifact);
  const { keys, threshold } = genesis.guardians;
  const guardians = keys.map(addressOf);
  const codeHashes = genesis.evm.map((evm) => {
    if (!equal(evm.templateHash, templateHash(artifact)))
      throw new Failure("wrong-artifact", `${config.artifact} is not the contract of the genesis`);
    return gatewayCodeHash(artifact, genesis.networkId, guardians, threshold);
  });
  return { genesis, relaySecret: config.secrets.relay, codeHashes };
}

function readArtifact(path: string): Artifact {
  try {
    return JSON.parse(Buffer.from(read(path)).toString("utf8")) as Artifact;
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw new Failure("wrong-artifact", `${path} is no JSON`, { cause });
  }
}

function read(path: string): Uint8Array {
  try {
    return Uint8Array.from(readFileSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Failure("missing-file", `cannot read ${path}: ${code}`, { cause });
  }
}

type Served = {
  readonly genesis: Genesis;
  readonly relay: Relay;
  readonly outside: Outside;
  readonly health: () => Promise<Record<string, PartHealth>>;
  readonly log: Log;
};

function servePortal(
  { listenHost: host, portalPort: port }: GatewayConfig,
  { genesis, relay, outside, health, log }: Served,
): ReturnType<typeof startPortalServer> {
  const portal = {
    genesis,
    ledger: outside.ledger,
    relay: relay.state,
    post: relay.request,
    timeText: (ms: number) => new Date(ms).toISOString(),
    health,
  };
  return startPortalServer({ host, port, portal, log });
}

type Owned = {
  readonly sender: EvmSender | undefined;
  /** Of a relay whose validator is not registered yet there is none: it follows and serves, and brings nothing. */
  readonly owner: Uint8Array | undefined;
};

async function healthOf(
  config: GatewayConfig,
  parts: Parts,
  bus: Bus,
  { sender, owner }: Owned,
): Promise<Record<string, PartHealth>> {
  if (bus.isConnected()) parts.bus.up();
  else parts.bus.down(new Failure("disconnected", "the bus is away"));
  if (owner !== undefined) parts.validator.up();
  else parts.validator.down(new Failure("not-registered", "no validator has this relay key yet"));
  const { node, bitcoin, bus: busHealth, validator } = parts;
  const ethereum = parts.ethereum.get();
  const trouble = sender?.trouble() ?? "";
  return {
    node: node.get(),
    bitcoin: bitcoin.get(),
    ethereum: trouble === "" ? ethereum : { ...ethereum, ok: false, message: trouble },
    bus: busHealth.get(),
    validator: validator.get(),
    signer: await readSignerHealth(config.signerHealth, systemClock),
  };
}
