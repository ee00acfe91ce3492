// A whole network on this machine: Bitcoin, Ethereum and the operators, each its own process.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Genesis, Params } from "@causeway/chain-core";
import { parseGenesis } from "@causeway/chain-core";
import { createBls } from "@causeway/chain-core/adapters/bls";
import { isRejected } from "@causeway/primitives";
import { peerIdOfKey } from "@causeway/primitives/adapters/p2p";
import { publicPoint } from "@causeway/primitives/secp256k1";
import { startAnvil } from "./anvil.ts";
import type { BitcoinNode } from "./bitcoin.ts";
import { startBitcoin } from "./bitcoin.ts";
import type { DevnetSecrets } from "./genesis.ts";
import { freshSecrets, makeGenesis } from "./genesis.ts";
import type { Operator } from "./operators.ts";
import { operator, prepareCode } from "./operators.ts";
import type { OperatorPorts } from "./ports.ts";
import { assertFree, freePorts, operatorPorts } from "./ports.ts";
import type { Process } from "./processes.ts";
import { stopAll } from "./processes.ts";

export type NetworkOptions = {
  readonly operators?: number;
  /** Fixed ports from this one on; free ones by default. */
  readonly basePort?: number;
  /** A bitcoind to use instead of the embedded node. */
  readonly bitcoind?: string;
  readonly params?: Partial<Params>;
  readonly logLevel?: string;
  /** This operator is never started: it sends no byte and casts no vote. */
  readonly silent?: number;
  /** Keep the folder when the network stops. */
  readonly keep?: boolean;
};

export type Network = {
  readonly folder: string;
  readonly genesis: Genesis;
  readonly genesisFile: string;
  readonly proofsFile: string;
  readonly secrets: DevnetSecrets;
  readonly bitcoin: BitcoinNode;
  readonly ethereum: Process & { readonly url: string };
  /** All of them, in seat order. */
  readonly operators: readonly Operator[];
  /** Those that take part. */
  readonly active: readonly Operator[];
  readonly stop: () => Promise<void>;
};

/** Starts the chains and prepares the operators; `start` of each is left to the caller. */
export async function createNetwork(options: NetworkOptions = {}): Promise<Network> {
  const count = options.operators ?? 4;
  // A short path: the bus is a Unix socket inside it.
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const ports = await choosePorts(count, options.basePort);
  const secrets = freshSecrets(count);
  const bls = createBls();
  const made = makeGenesis(secrets, bls, Date.now(), options.params);
  const genesis = parseGenesis(made.body, made.proofs, bls);
  if (isRejected(genesis)) throw new Error(genesis.message);
  const genesisFile = join(folder, "genesis.json");
  const proofsFile = join(folder, "genesis-proofs.json");
  writeFileSync(genesisFile, made.body);
  writeFileSync(proofsFile, made.proofs);
  const [chains] = await Promise.all([startChains(folder, ports, options.bitcoind), prepareCode()]);
  const p2p = addresses(secrets, ports.operators);
  const operators = ports.operators.map((own, index) =>
    operator({
      index,
      folder: join(folder, `operator-${index}`),
      genesisFile,
      proofsFile,
      keys: secrets.operators[index] as (typeof secrets.operators)[number],
      ports: own,
      nodePeers: p2p.nodes.filter((_, other) => other !== index),
      signerPeers: p2p.signers.filter((_, other) => other !== index),
      bitcoin: { url: chains.bitcoin.url, cookieFile: chains.bitcoin.cookieFile },
      ethereumUrl: chains.ethereum.url,
      logLevel: options.logLevel ?? "info",
    }),
  );
  const stop = async (): Promise<void> => {
    await Promise.all(operators.map((one) => one.stop()));
    await stopAll([chains.bitcoin, chains.ethereum], 5_000);
    if (options.keep !== true) rmSync(folder, { recursive: true, force: true });
  };
  const active = operators.filter(({ index }) => index !== options.silent);
  const files = { folder, genesisFile, proofsFile };
  return { ...files, genesis, secrets, ...chains, operators, active, stop };
}

type Ports = {
  readonly operators: readonly OperatorPorts[];
  readonly bitcoin: number;
  readonly bitcoinP2p: number;
  readonly ethereum: number;
};

async function choosePorts(count: number, base: number | undefined): Promise<Ports> {
  if (base !== undefined) {
    const operators = Array.from({ length: count }, (_, i) => operatorPorts(base, i));
    const chains = { bitcoin: base + 90, bitcoinP2p: base + 91, ethereum: base + 92 };
    await assertFree([...operators.flatMap((one) => Object.values(one)), ...Object.values(chains)]);
    return { operators, ...chains };
  }
  const free = await freePorts(4 * count + 3);
  const [bitcoin = 0, bitcoinP2p = 0, ethereum = 0] = free.splice(0, 3);
  const operators = Array.from({ length: count }, (_, i) => {
    const [nodeP2p = 0, nodeRpc = 0, signerP2p = 0, portal = 0] = free.slice(4 * i, 4 * i + 4);
    return { nodeP2p, nodeRpc, signerP2p, portal };
  });
  return { operators, bitcoin, bitcoinP2p, ethereum };
}

async function startChains(
  folder: string,
  ports: Ports,
  bitcoind: string | undefined,
): Promise<Pick<Network, "bitcoin" | "ethereum">> {
  const logs = join(folder, "logs");
  mkdirSync(logs, { recursive: true });
  const [bitcoin, ethereum] = await Promise.all([
    startBitcoin({
      folder: join(folder, "bitcoin"),
      rpcPort: ports.bitcoin,
      p2pPort: ports.bitcoinP2p,
      logFile: join(logs, "bitcoin.log"),
      ...(bitcoind === undefined ? {} : { bitcoind }),
    }),
    startAnvil({ port: ports.ethereum, logFile: join(logs, "anvil.log") }),
  ]);
  return { bitcoin, ethereum };
}

function addresses(
  secrets: DevnetSecrets,
  ports: readonly OperatorPorts[],
): { nodes: string[]; signers: string[] } {
  const at = (port: number, secret: Uint8Array): string =>
    `/ip4/127.0.0.1/tcp/${port}/p2p/${peerIdOfKey(publicPoint(secret))}`;
  return {
    nodes: secrets.operators.map((keys, i) => at(ports[i]?.nodeP2p ?? 0, keys.node.peer)),
    signers: secrets.operators.map((keys, i) => at(ports[i]?.signerP2p ?? 0, keys.signer.peer)),
  };
}
