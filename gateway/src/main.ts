// The gateway process: relay and portal in one, and the operator's bus. Each port meets its adapter here.
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
import { systemEntropy } from "@causeway/primitives/adapters/entropy";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { startLog } from "@causeway/primitives/adapters/log";
import { addressOf, publicPoint, randomizeContext } from "@causeway/primitives/secp256k1";
import type { GatewayConfig } from "./adapters/config.ts";
import { loadGatewayConfig } from "./adapters/config.ts";
import type { EvmSender } from "./adapters/evm-sender.ts";
import { evmSender } from "./adapters/evm-sender.ts";
import { startPortalServer } from "./adapters/portal-server.ts";
import type { Relay, RelayOptions } from "./adapters/relay-runtime.ts";
import { relayRuntime } from "./adapters/relay-runtime.ts";
import { openRequestStore } from "./adapters/request-store.ts";
import { readSignerHealth } from "./adapters/signer-health.ts";
import type { PartHealth } from "./ports.ts";
import type { Context } from "./relay/machine.ts";

type Bus = ReturnType<typeof openBus>;
type Parts = Readonly<Record<"node" | "bitcoin" | "ethereum" | "bus", HealthState>>;

async function main(): Promise<void> {
  const config = loadGatewayConfig(process.argv.slice(2), process.env);
  if (isRejected(config)) return fail(config);
  randomizeContext(systemEntropy(32));
  const log = startLog("gateway", config.logLevel);
  const genesis = parseGenesis(read(config.genesis), read(config.proofs), createBls());
  if (isRejected(genesis)) return fail(genesis);
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
  const parts: Parts = { node: state(), bitcoin: state(), ethereum: state(), bus: state() };
  const requests = openRequestStore(join(config.data, "requests.journal"), systemClock.nowMs());
  const outside = outsideOf(config, genesis, log);
  const relay = relayRuntime({
    context,
    ...outside,
    bus,
    requests,
    health: parts,
    clock: systemClock,
    log,
    signal,
    onDeath: die,
  });
  // From portals that are processes of their own.
  bus.subscribe("requests", "relay", async (bytes) => relay.request(bytes));
  const health = (): Promise<Record<string, PartHealth>> =>
    healthOf(config, parts, bus, outside.ethereum?.sender);
  const portal = await servePortal(config, { genesis, relay, outside, health, log });
  const stop = async (): Promise<void> => {
    if (signal.aborted) return;
    stopping.abort();
    relay.stop();
    await portal.close();
    await bus.close();
    await busServer.close();
    requests.close();
    process.exit(0);
  };
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop().catch(die));
  relay.run().catch(die);
  const ready = { ready: true, seat: context.seat, network: toHex(genesis.networkId) };
  const url = `http://${config.listenHost}:${portal.port}`;
  console.log(JSON.stringify({ ...ready, portal: url, pid: process.pid }));
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

/** Throws Failure when the relay key is no validator's, or the artifact is not the genesis' contract. */
function contextOf(config: GatewayConfig, genesis: Genesis): Context {
  const point = publicPoint(config.secrets.relay);
  const seat = genesis.validators.findIndex(({ relayKey }) => equal(relayKey, point));
  if (seat < 0)
    throw new Failure("not-a-validator", "the relay key is no validator's in the genesis");
  const artifact = readArtifact(config.artifact);
  const { keys, threshold } = genesis.guardians;
  const guardians = keys.map(addressOf);
  const codeHashes = genesis.evm.map((evm) => {
    if (!equal(evm.templateHash, templateHash(artifact)))
      throw new Failure("wrong-artifact", `${config.artifact} is not the contract of the genesis`);
    return gatewayCodeHash(artifact, genesis.networkId, guardians, threshold);
  });
  return { genesis, seat, relaySecret: config.secrets.relay, codeHashes };
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

async function healthOf(
  config: GatewayConfig,
  parts: Parts,
  bus: Bus,
  sender: EvmSender | undefined,
): Promise<Record<string, PartHealth>> {
  if (bus.isConnected()) parts.bus.up();
  else parts.bus.down(new Failure("disconnected", "the bus is away"));
  const { node, bitcoin, bus: busHealth } = parts;
  const ethereum = parts.ethereum.get();
  const trouble = sender?.trouble() ?? "";
  return {
    node: node.get(),
    bitcoin: bitcoin.get(),
    ethereum: trouble === "" ? ethereum : { ...ethereum, ok: false, message: trouble },
    bus: busHealth.get(),
    signer: await readSignerHealth(config.signerHealth, systemClock),
  };
}

/** What the operator did wrong: one JSON object on stderr, exit code 1. */
function fail(error: { readonly code: string; readonly message: string }): never {
  const mistakes = (error as { mistakes?: readonly string[] }).mistakes;
  const { code, message } = error;
  console.error(JSON.stringify({ error: { code, message, ...(mistakes && { mistakes }) } }));
  process.exit(1);
}

/** What nobody expected: the process stops; it starts again from the ledger and its journals. */
function die(error: unknown): never {
  if (error instanceof Failure) return fail(error);
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  console.error(JSON.stringify({ error: { code: "crashed", message, stack } }));
  process.exit(1);
}

main().catch(die);
