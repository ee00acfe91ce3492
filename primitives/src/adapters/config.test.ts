// One file with every mistake gives every sentence.
import { expect, expectTypeOf, test } from "vitest";
import { isRejected } from "../failure.ts";
import { loadConfig, readConfig } from "./config.ts";

const spec = {
  genesis: { key: "CAUSEWAY_GENESIS", is: "path" },
  rpc: { key: "CAUSEWAY_BITCOIN_RPC", is: "url" },
  port: { key: "CAUSEWAY_P2P_PORT", is: "port", default: "18500" },
  peers: { key: "CAUSEWAY_PEERS", is: "peers", default: "" },
  announce: { key: "CAUSEWAY_ANNOUNCE", is: "addresses", default: "" },
  password: { key: "CAUSEWAY_BITCOIN_PASSWORD", is: "port", optional: true, secret: true },
  oneMachine: { key: "CAUSEWAY_ONE_MACHINE", is: "flag", default: "false" },
} as const;

const good = `
# an operator
CAUSEWAY_GENESIS = /etc/genesis.json
CAUSEWAY_BITCOIN_RPC="http://127.0.0.1:18443"
CAUSEWAY_BUS=/run/bus.sock
CAUSEWAY_PEERS=/ip4/10.0.0.1/tcp/18500/p2p/16Uiu2HAm1, /dns4/b.example/tcp/1/p2p/16Uiu2HAm2
CAUSEWAY_ANNOUNCE=/ip4/10.0.0.1/tcp/18502,/ip6/2606:4700::1111/tcp/1
`;

test("a good file gives typed, frozen values, and the environment wins", () => {
  const config = readConfig(spec, good, { CAUSEWAY_P2P_PORT: "7", PATH: "/bin" });
  if (isRejected(config)) throw new Error(config.message);
  expectTypeOf(config.port).toEqualTypeOf<number>();
  expectTypeOf(config.password).toEqualTypeOf<number | undefined>();
  expect(config).toEqual({
    genesis: "/etc/genesis.json",
    rpc: "http://127.0.0.1:18443",
    port: 7,
    peers: ["/ip4/10.0.0.1/tcp/18500/p2p/16Uiu2HAm1", "/dns4/b.example/tcp/1/p2p/16Uiu2HAm2"],
    announce: ["/ip4/10.0.0.1/tcp/18502", "/ip6/2606:4700::1111/tcp/1"],
    oneMachine: false,
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test("all mistakes are listed at once, and no secret is shown", () => {
  const text = `
CAUSEWAY_BITCOIN_RPC=localhost:18443
CAUSEWAY_P2P_PORT=70000
CAUSEWAY_P2P_PORT=1
CAUSEWAY_PEERS=/ip4/10.0.0.1/tcp/18500
CAUSEWAY_ANNOUNCE=/dns4/b.example/tcp/1
CAUSEWAY_BITCOIN_PASSWORD=hunter2
CAUSEWAY_ONE_MACHINE=yes
CAUSEWAY_GENESYS=typo
what is this
`;
  const config = readConfig(spec, text, {});
  if (!isRejected(config) || !("mistakes" in config)) throw new Error("accepted");
  expect(config.mistakes).toEqual([
    "CAUSEWAY_GENESIS: missing",
    'CAUSEWAY_BITCOIN_RPC: must be an http or https address, got "localhost:18443"',
    'CAUSEWAY_P2P_PORT: must be 0 to 65535, got "70000"',
    'CAUSEWAY_PEERS: must be comma separated /ip4/<address>/tcp/<port>/p2p/<peer id>, got "/ip4/10.0.0.1/tcp/18500"',
    'CAUSEWAY_ANNOUNCE: must be comma separated /ip4/<address>/tcp/<port>, got "/dns4/b.example/tcp/1"',
    "CAUSEWAY_BITCOIN_PASSWORD: must be 0 to 65535",
    'CAUSEWAY_ONE_MACHINE: must be true or false, got "yes"',
    "line 4: CAUSEWAY_P2P_PORT is given twice",
    "line 10: not KEY=value",
    "CAUSEWAY_GENESYS: no such key",
  ]);
  expect(config.message).not.toContain("hunter2");
});

test("a file that cannot be read is one clear mistake", () => {
  expect(loadConfig(spec, ["--config", "/nowhere.env"], {})).toMatchObject({
    mistakes: ["cannot read /nowhere.env: ENOENT"],
  });
  expect(loadConfig(spec, ["--config"], {})).toMatchObject({ mistakes: ["--config needs a file"] });
});
