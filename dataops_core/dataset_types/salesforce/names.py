"""What each account is called and its id: in closed form, the company's customers first.

So whatever names a customer names an account that every dataset of some size has, and would have in any.
"""

from collections.abc import Sequence

from dataops_core.company.firms import firms
from dataops_core.company.model import Company
from dataops_core.company.names import CUSTOMER_FORMS
from dataops_core.dataset_types.salesforce.layout import INDUSTRIES, REGIONS
from dataops_core.generation.seeding import coprime, digest64

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECKS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
ACCOUNT, USER = "001", "005"


class Accounts:
    """The names of a company's accounts."""

    def __init__(self, company: Company) -> None:
        self._customers = company.customers
        self._firms = firms(company.locale)
        taken = {*company.customers, company.name}
        words = self._firms.words
        size = len(words) * len(CUSTOMER_FORMS)
        shift = digest64("accounts", company.client_id) % size
        order = ((place * coprime(size) + shift) % size for place in range(size))
        apart = ((words[at % len(words)], at // len(words)) for at in order)
        names = (self._firms.customer(word, trade) for word, trade in apart if word not in company.name)
        self._others = [name for name in names if name not in taken]

    def name(self, account: int) -> str:
        """The name of an account: no two are alike."""
        if account < len(self._customers):
            return self._customers[account]
        part, place = divmod(account - len(self._customers), len(self._others))
        if part == 0:
            return self._others[place]
        again, region = divmod(part - 1, len(REGIONS))
        return self._firms.part(self._others[place], f"{REGIONS[region]} {again + 1}" if again else REGIONS[region])

    def industry(self, name: str) -> str:
        """What an account does, which its name says."""
        return INDUSTRIES[CUSTOMER_FORMS[self._firms.trade(name)]]

    def otherwise(self, name: str) -> str:
        """What an account is called that somebody keys in once more."""
        return self._firms.otherwise(name)


def ids(kind: str, company: Company, numbers: Sequence[int]) -> list[str]:
    """Ids in the form of Salesforce's: prefix, instance, number in base 62, and the three letters that keep its case.

    Source: Salesforce, "How to convert a 15 digit Id to an 18 digit Id".
    """
    base = digest64("records", kind, company.client_id) % 900_000_000
    made = []
    for number in numbers:
        digits, rest = "", base + number
        for _ in range(9):
            rest, digit = divmod(rest, 62)
            digits = _DIGITS[digit] + digits
        short = f"{kind}Kd0{digits}"
        made.append(short + "".join(map(_check, (short[:5], short[5:10], short[10:]))))
    return made


def _check(part: str) -> str:
    return _CHECKS[sum(1 << place for place, letter in enumerate(part) if letter.isascii() and letter.isupper())]
