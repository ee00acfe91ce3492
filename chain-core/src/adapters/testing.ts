// For tests only: a network of nodes in one process, each with its own folder, on free ports.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkId } from "@causeway/primitives";
import { sha256, toHex } from "@causeway/primitives";
import { rpcClient } from "@causeway/primitives/adapters/json-rpc";
import { peerIdOfKey } from "@causeway/primitives/adapters/p2p";
import { publicPoint } from "@causeway/primitives/secp256k1";
import type { NodeClient } from "../client.ts";
import { nodeClient } from "../client.ts";
import type { Genesis, Params } from "../ledger/genesis.ts";
import { encodeGenesisBody } from "../ledger/genesis-file.ts";
import type { Proofs } from "../ledger/possession.ts";
import { encodeProofs, keyRoleNames, signPossession } from "../ledger/possession.ts";
import { testBls, testGenesisBody, validatorSecret } from "../ledger/testing.ts";
import type { NodeConfig } from "./run-node.ts";

export type TestNetwork = {
  readonly genesis: Genesis;
  readonly folder: string;
  /** The configuration of node `i`; ports are the caller's. */
  readonly config: (i: number, ports: readonly NodePorts[]) => NodeConfig;
  readonly remove: () => void;
};
export type NodePorts = { readonly p2p: number; readonly rpc: number };

/** Genesis files and key files of `size` validators in a fresh folder; `balances` besides those of test users. */
export function testNetwork(
  size: number,
  params: Partial<Params> = {},
  balances: Genesis["balances"] = [],
): TestNetwork {
  const folder = mkdtempSync(join(tmpdir(), "nodes-"));
  const base = testGenesisBody(size, params);
  const body = { ...base, balances: [...balances, ...base.balances] };
  const bytes = encodeGenesisBody({ ...body, time: Date.now() });
  const networkId = sha256(bytes) as Uint8Array as NetworkId;
  const proofs = body.validators.map(
    (validator, seat) =>
      Object.fromEntries(
        keyRoleNames.map((role) => [
          role,
          signPossession(networkId, validator, role, validatorSecret(seat, role), testBls),
        ]),
      ) as Proofs,
  );
  const path = (name: string): string => join(folder, name);
  writeFileSync(path("genesis.json"), bytes);
  writeFileSync(path("proofs.json"), encodeProofs(networkId, proofs));
  for (let seat = 0; seat < size; seat++) {
    const keys = {
      consensus: toHex(validatorSecret(seat, "consensusKey")),
      peer: toHex(validatorSecret(seat, "nodePeerKey")),
    };
    mkdirSync(path(`${seat}`));
    writeFileSync(path(`${seat}/keys.json`), JSON.stringify(keys), { mode: 0o600 });
  }
  const peerOf = ({ p2p }: NodePorts, seat: number): string =>
    `/ip4/127.0.0.1/tcp/${p2p}/p2p/${peerIdOfKey(publicPoint(validatorSecret(seat, "nodePeerKey")))}`;
  return {
    genesis: { ...body, time: 0, networkId },
    folder,
    config: (i, ports) => ({
      genesis: path("genesis.json"),
      genesisProofs: path("proofs.json"),
      data: path(`${i}/data`),
      keys: path(`${i}/keys.json`),
      listenHost: "127.0.0.1",
      p2pPort: ports[i]?.p2p ?? 0,
      rpcPort: ports[i]?.rpc ?? 0,
      peers: ports.map(peerOf).filter((_, other) => other !== i),
      oneMachine: true,
      index: true,
      sync: "auto",
      checkpoint: undefined,
      // Both ways in one network.
      verifyThreads: i === 0 ? 1 : 0,
      archive: false,
      logLevel: "error",
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export function testClient(port: number): NodeClient & { readonly close: () => void } {
  const rpc = rpcClient({ url: `http://127.0.0.1:${port}` });
  return { ...nodeClient(rpc), close: rpc.close };
}
