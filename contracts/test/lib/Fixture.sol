// SPDX-License-Identifier: MIT
// A deployed Gateway (the committed artifact) with a wrapped and a foreign token, ETH, and its
// ring.
pragma solidity 0.8.37;

import {
    Batch,
    Destination,
    IGateway,
    Quorum,
    Signature,
    TokenSetting
} from "../../src/IGateway.sol";
import {WrappedToken} from "../../src/WrappedToken.sol";
import {PlainToken} from "./Tokens.sol";
import {Ring} from "./Ring.sol";
import {Vm} from "./Vm.sol";

abstract contract Fixture is Ring {
    bytes32 internal constant NETWORK = keccak256("a network");
    uint256 internal constant SECRET = 0xa11ce;
    uint256 internal constant NEXT_SECRET = 0xb0b;
    uint256 internal constant FIRST_GUARDIAN = 0x60a12d;
    uint104 internal constant CAPACITY = 1000 ether;
    uint32 internal constant STIPEND = 50_000;
    uint32 internal constant OVERHEAD = 20_000;
    uint8 internal constant MINT = 1;
    uint8 internal constant RELEASE_ETH = 2;
    uint8 internal constant RELEASE_ERC20 = 3;

    IGateway internal gateway;
    WrappedToken internal wrapped;
    PlainToken internal foreign;
    address internal constant ETH = address(0);
    address internal constant USER = address(0xbeef);
    address internal constant RELAYER = address(0x12e1a9);
    uint32 internal keyId = 1;
    /// Of what ran by `run` or `send`.
    mapping(uint64 nonce => uint256) internal failed;
    mapping(uint64 nonce => bytes) internal itemsOf;

    function setUp() public virtual {
        vm.warp(1_800_000_000);
        foreign = new PlainToken();
        uint256 nonce = vm.getNonce(address(this));
        address token = vm.computeCreateAddress(address(this), nonce + 1);
        TokenSetting[] memory settings = new TokenSetting[](3);
        settings[0] = TokenSetting(ETH, 1, CAPACITY);
        settings[1] = TokenSetting(token, 2, CAPACITY);
        settings[2] = TokenSetting(address(foreign), 1, CAPACITY);
        gateway = deployGateway(1, keyOf(SECRET), settings);
        wrapped = WrappedToken(
            create("WrappedToken", abi.encode("Causeway Bitcoin", "BBTC", 8, address(gateway)))
        );
        eq(uint160(address(wrapped)), uint160(token));
    }

    function deployGateway(uint32 id, bytes32 px, TokenSetting[] memory settings)
        internal
        returns (IGateway)
    {
        bytes memory arguments =
            abi.encode(NETWORK, guardians(), uint256(3), id, px, settings);
        return IGateway(create("Gateway", arguments));
    }

    function create(string memory name, bytes memory arguments) internal returns (address made) {
        string memory json = vm.readFile(string.concat("artifacts/", name, ".json"));
        string memory text = vm.parseJsonString(json, ".bytecode");
        bytes memory code = abi.encodePacked(vm.parseBytes(string.concat("0x", text)), arguments);
        assembly {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    function guardians() internal pure returns (address[] memory list) {
        list = new address[](5);
        for (uint256 i = 0; i < 5; ++i) {
            list[i] = vm.addr(FIRST_GUARDIAN + i);
        }
    }

    /// @dev FMT-1 with this network.
    function digestOf(string memory what, bytes memory message) internal pure returns (bytes32) {
        string memory tag = string.concat("causeway/", what, "/v1");
        return tagged(tag, abi.encodePacked(NETWORK, message));
    }

    function item(uint8 kind, address token, address to, uint256 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(kind, token, to, uint128(amount));
    }

    function batchOf(uint64 nonce, bytes memory items) internal view returns (Batch memory) {
        return Batch(keyId, nonce, STIPEND, OVERHEAD, items);
    }

    function batchDigest(Batch memory batch) internal view returns (bytes32) {
        return digestOf(
            "eth-batch",
            abi.encode(
                block.chainid,
                address(gateway),
                batch.keyId,
                batch.nonce,
                batch.stipend,
                batch.overhead,
                batch.items
            )
        );
    }

    function signBatch(Batch memory batch) internal returns (Signature memory) {
        return sealOf(SECRET, batchDigest(batch));
    }

    function run(uint64 nonce, bytes memory items) internal {
        Batch memory batch = batchOf(nonce, items);
        send(batch, signBatch(batch));
    }

    /// @dev Executes as the relayer, and keeps what the event says.
    function send(Batch memory batch, Signature memory signature) internal {
        vm.recordLogs();
        vm.prank(RELAYER);
        gateway.execute(batch, signature);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        Vm.Log memory last = logs[logs.length - 1];
        isTrue(last.topics[0] == IGateway.Executed.selector, "not Executed");
        eq(uint256(last.topics[1]), batch.nonce);
        (, failed[batch.nonce]) = abi.decode(last.data, (bytes32, uint256));
        itemsOf[batch.nonce] = batch.items;
    }

    function claim(uint64 nonce, uint256 index) internal {
        gateway.claim(nonce, failed[nonce], index, itemsOf[nonce]);
        failed[nonce] ^= 1 << index;
    }

    /// @dev Whether the item waits as a claim, by the event and by the storage.
    function isClaim(uint64 nonce, uint256 index) internal view returns (bool) {
        uint256 open = failed[nonce];
        bytes32 expected = open == 0 ? bytes32(0) : keccak256(abi.encode(open, itemsOf[nonce]));
        isTrue(gateway.claimsOf(nonce) == expected, "the storage differs from the event");
        return open >> index & 1 == 1;
    }

    function heartbeat(uint64 nonce) internal {
        bytes memory message = abi.encode(block.chainid, address(gateway), keyId, nonce);
        gateway.heartbeat(keyId, nonce, sealOf(SECRET, digestOf("eth-heartbeat", message)));
    }

    function setKeySeal(uint64 nonce, uint32 newId, bytes32 newPx)
        internal
        returns (Signature memory)
    {
        return sealOf(SECRET, setKeyDigest(nonce, newId, newPx));
    }

    function setKeyDigest(uint64 nonce, uint32 newId, bytes32 newPx)
        internal
        view
        returns (bytes32)
    {
        bytes memory message =
            abi.encode(block.chainid, address(gateway), keyId, nonce, newId, newPx);
        return digestOf("eth-set-key", message);
    }

    function setToken(uint64 nonce, TokenSetting memory setting) internal {
        bytes memory message = abi.encode(
            block.chainid,
            address(gateway),
            keyId,
            nonce,
            setting.token,
            setting.status,
            setting.capacity
        );
        Signature memory signature = sealOf(SECRET, digestOf("eth-set-token", message));
        gateway.setToken(keyId, nonce, setting, signature);
    }

    function setPause(uint64 nonce, uint40 inUntil, uint40 outUntil) internal {
        bytes memory message =
            abi.encode(block.chainid, address(gateway), keyId, nonce, inUntil, outUntil);
        Signature memory signature = sealOf(SECRET, digestOf("eth-set-pause", message));
        gateway.setPause(keyId, nonce, inUntil, outUntil, signature);
    }

    /// @dev Guardians `first` to `first + count - 1` sign.
    function quorumOf(bytes32 structHash, uint256 first, uint256 count)
        internal
        view
        returns (Quorum memory quorum)
    {
        quorum = Quorum(guardians(), 3, new bytes[](5));
        bytes32 digest = gateway.guardianDigest(structHash);
        for (uint256 i = first; i < first + count; ++i) {
            (uint8 v, bytes32 r, bytes32 s) = vm.sign(FIRST_GUARDIAN + i, digest);
            quorum.signatures[i] = abi.encodePacked(r, s, v);
        }
    }

    function pauseHash(uint8 directions) internal view returns (bytes32) {
        bytes32 kind = keccak256("Pause(uint8 directions,uint64 nonce)");
        return keccak256(abi.encode(kind, directions, gateway.guardianNonce()));
    }

    function pause(uint8 directions) internal {
        gateway.pause(directions, quorumOf(pauseHash(directions), 0, 3));
    }

    function recoverHash(uint32 newId, bytes32 newPx) internal view returns (bytes32) {
        bytes32 kind = keccak256("Recover(uint32 keyId,bytes32 px,uint64 nonce)");
        return keccak256(abi.encode(kind, newId, newPx, gateway.guardianNonce()));
    }

    function limitHash(address token, uint104 capacity) internal view returns (bytes32) {
        bytes32 kind = keccak256("Limit(address token,uint104 capacity,uint64 nonce)");
        return keccak256(abi.encode(kind, token, capacity, gateway.guardianNonce()));
    }

    function toLedger() internal pure returns (Destination memory) {
        return Destination(NETWORK, abi.encodePacked(bytes32(uint256(7))));
    }
}
