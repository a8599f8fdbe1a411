"""Uses a chain through cosmpy as a Python developer would, over gRPC or REST.

    python cosmpy_client.py URL CHAIN_ID MNEMONIC_FILE TO MARKET PREFIX DENOM

URL is cosmpy's: grpc+http://host:port or rest+http://host:port. Prints a line a check, then "N passed, N failed".
"""

import sys
import traceback

from cosmpy.aerial.client import LedgerClient, NetworkConfig
from cosmpy.aerial.contract import LedgerContract
from cosmpy.aerial.wallet import LocalWallet

url, chain_id, mnemonic, to, market, prefix, denom = sys.argv[1:]
ledger = LedgerClient(
    NetworkConfig(
        chain_id=chain_id,
        url=url,
        fee_minimum_gas_price=0.01,
        fee_denomination=denom,
        staking_denomination=denom,
    )
)
with open(mnemonic, encoding="utf-8") as file:
    wallet = LocalWallet.from_mnemonic(file.read().strip(), prefix=prefix)
me = str(wallet.address())
sent = {}


def balances():
    before = ledger.query_bank_balance(to, denom)
    every = {c.denom: int(c.amount) for c in ledger.query_bank_all_balances(to)}
    assert every[denom] == before, every


def account():
    assert ledger.query_account(me).address == wallet.address()


def nobody():
    stranger = str(LocalWallet.generate(prefix=prefix).address())
    try:
        ledger.query_account(stranger)
    except Exception as error:  # cosmpy's own classes differ between gRPC and REST
        assert "not found" in str(error), error
    else:
        raise AssertionError("an account that nobody made was found")


def send():
    before = ledger.query_bank_balance(to, denom)
    tx = ledger.send_tokens(to, 1234, denom, wallet, memo="cosmpy").wait_to_complete(timeout=30)
    assert tx.response.code == 0, tx.response
    assert ledger.query_bank_balance(to, denom) == before + 1234
    assert tx.response.events["transfer"]["recipient"], tx.response.events
    sent["hash"], sent["height"] = tx.tx_hash, tx.response.height


def found_again():
    tx = ledger.query_tx(sent["hash"])
    assert tx.height == sent["height"] and tx.gas_used <= tx.gas_wanted, tx


def too_much():
    try:
        ledger.send_tokens(to, 10**30, denom, wallet).wait_to_complete(timeout=30)
    except Exception as error:
        assert "insufficient funds" in str(error), error
    else:
        raise AssertionError("more was sent than there is")


def contract():
    answer = LedgerContract(None, ledger, address=market).query({"config": {}})
    assert answer["registry"].startswith(prefix), answer


def blocks():
    latest = ledger.query_latest_block()
    assert latest.height >= sent["height"] and latest.chain_id == chain_id, latest
    block = ledger.query_block(sent["height"])
    assert block.height == sent["height"] and sent["hash"] in block.tx_hashes, block


failed = 0
checks = [balances, account, nobody, send, found_again, too_much, contract, blocks]
for check in checks:
    try:
        check()
        print("ok", check.__name__)
    except Exception:
        failed += 1
        print("FAILED", check.__name__)
        traceback.print_exc()
print(f"{len(checks) - failed} passed, {failed} failed")
sys.exit(failed != 0)
