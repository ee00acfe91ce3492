// The signer's configuration (SEAMS): its keys, what each is, and the typed result.
import type { BadConfig } from "@causeway/primitives/adapters/config";
import { loadConfig } from "@causeway/primitives/adapters/config";

export type SignerConfig = {
  /** Files. */
  readonly genesis: string;
  readonly proofs: string;
  readonly keys: string;
  /** Folder of journal, shares and health. */
  readonly data: string;
  readonly nodeRpc: string;
  readonly listenHost: string;
  readonly p2pPort: number;
  /** Multiaddrs of other signers: one that runs is enough to find the rest. */
  readonly peers: readonly string[];
  /** Multiaddrs without peer id that others are told to dial; none: the public ones of this machine. */
  readonly announce: readonly string[];
  readonly bitcoinRpc: string;
  readonly bitcoinCookie?: string | undefined;
  readonly bitcoinUser?: string | undefined;
  readonly bitcoinPassword?: string | undefined;
  readonly ethereumRpc: string;
  /** Unix socket of the operator's bus; without one there are no hints, and others propose. */
  readonly bus?: string | undefined;
  /** The gateway contract's artifact; by default the one of this release. */
  readonly artifact?: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly oneMachine: boolean;
};

const spec = {
  genesis: { key: "CAUSEWAY_GENESIS", is: "file" },
  proofs: { key: "CAUSEWAY_GENESIS_PROOFS", is: "file" },
  data: { key: "CAUSEWAY_DATA", is: "path" },
  keys: { key: "CAUSEWAY_KEYS", is: "file" },
  nodeRpc: { key: "CAUSEWAY_NODE_RPC", is: "url" },
  listenHost: { key: "CAUSEWAY_LISTEN_HOST", is: "host", default: "127.0.0.1" },
  p2pPort: { key: "CAUSEWAY_P2P_PORT", is: "port" },
  peers: { key: "CAUSEWAY_PEERS", is: "peers", default: "" },
  announce: { key: "CAUSEWAY_ANNOUNCE", is: "addresses", default: "" },
  bitcoinRpc: { key: "CAUSEWAY_BITCOIN_RPC", is: "url", secret: true },
  bitcoinCookie: { key: "CAUSEWAY_BITCOIN_COOKIE", is: "path", optional: true },
  bitcoinUser: { key: "CAUSEWAY_BITCOIN_USER", is: "text", optional: true },
  bitcoinPassword: {
    key: "CAUSEWAY_BITCOIN_PASSWORD",
    is: "text",
    optional: true,
    secret: true,
  },
  ethereumRpc: { key: "CAUSEWAY_ETHEREUM_RPC", is: "url", secret: true },
  bus: { key: "CAUSEWAY_BUS", is: "path", optional: true },
  artifact: { key: "CAUSEWAY_GATEWAY_ARTIFACT", is: "path", optional: true },
  logLevel: { key: "CAUSEWAY_LOG_LEVEL", is: "level", default: "info" },
  oneMachine: { key: "CAUSEWAY_ONE_MACHINE", is: "flag", default: "false" },
} as const;

/** All mistakes at once, or the configuration that `--config <file>` and the environment give. */
export function loadSignerConfig(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): SignerConfig | BadConfig {
  return loadConfig(spec, argv, env);
}
