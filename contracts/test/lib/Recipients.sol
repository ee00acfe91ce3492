// SPDX-License-Identifier: MIT
// Recipients that try to stop a batch.
pragma solidity 0.8.37;

/// @dev Refuses until it is told otherwise.
contract Moody {
    bool public open;

    function set(bool open_) external {
        open = open_;
    }

    receive() external payable {
        require(open, "closed");
    }
}

/// @dev Burns all it is given.
contract Burner {
    receive() external payable {
        assembly {
            invalid()
        }
    }
}

/// @dev Answers with as much memory as its gas can pay for.
contract Bomb {
    bool private immutable FAILS;

    constructor(bool fails) {
        FAILS = fails;
    }

    receive() external payable {
        bool fails = FAILS;
        assembly {
            // 3 words^2/512 + 3 words: 3,000 words cost 26.6 k of a 50 k stipend, and as much to
            // copy.
            let size := mul(3000, 32)
            if fails { revert(0, size) }
            return(0, size)
        }
    }
}

/// @dev Needs most of a stipend, and fails for less.
contract Hungry {
    uint256 private immutable NEED;
    uint256 public meals;

    constructor(uint256 need) {
        NEED = need;
    }

    receive() external payable {
        uint256 start = gasleft();
        meals += 1;
        while (start - gasleft() < NEED) {}
    }
}

/// @dev Runs what it was told when it receives ETH, and remembers whether that worked.
contract Caller {
    address private target;
    bytes private data;
    bool public worked;
    bool public called;

    function tell(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    function onSpend() external {
        go();
    }

    receive() external payable {
        go();
    }

    function go() private {
        (bool ok,) = target.call(data);
        (worked, called) = (ok, true);
    }
}
