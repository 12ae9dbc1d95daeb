"""What the people of these tests answer to the procurement example, by the labels they read."""

from tests.e2e.person import Answers, Attached
from tests.rooms.files import pdf, picture

INSURANCE = Attached("insurance 2026.pdf", pdf("insurance"))
REGISTRATION = Attached("Register.jpg", picture(), "image/jpeg")
ACCOUNTS = Attached("accounts.pdf", pdf("accounts"))
PASSPORT = Attached("passport.jpg", picture(), "image/jpeg")
CERTIFICATIONS: Answers = {
    "Proof of insurance": INSURANCE,
    "Business registration": REGISTRATION,
}
VENDOR_INTAKE: tuple[tuple[str, Answers], ...] = (
    (
        "Your vendor profile",
        {
            "Registered company name": "Casa do Linho Lda",
            "Kind of company": "Private limited company",
            "Company registration number": "PT-501 234 567",
            "Country of registration": "Portugal",
            "Street and number": "Rua das Flores 12",
            "Town or city, with postcode": "4050-262 Porto",
            "Name of your main contact": "Vera Costa",
            "Their role in the company": "Head of sales",
            "Mail address for orders": "orders@casadolinho.example",
            "Phone": "+351 22 123 4567",
        },
    ),
    (
        "What you sell",
        {
            "Categories you sell in": ["Packaging", "Laboratory equipment"],
            "What you offer, in your own words": (
                "Bags and boxes of recycled linen, printed to order, from one piece on."
            ),
            "Where your goods or services come from": "Both",
            "Where you deliver": ["Our own country", "European Union"],
            "Usual lead time in working days": "12",
            "Do you accept purchase orders with payment after 30 days?": "Yes",
        },
    ),
    ("Your certifications", CERTIFICATIONS),
    (
        "Terms of use",
        {
            "I have read the terms of use for vendors and accept them on behalf of the company, "
            "which I am entitled to represent.": True
        },
    ),
)
VENDOR_DUE_DILIGENCE: tuple[tuple[str, Answers], ...] = (
    (
        "Financial disclosure",
        {
            "Last day of that financial year": "2025-12-31",
            "Currency of the figures below": "Euro",
            "Revenue": "1,250,000.00",
            "Result after tax": "-12500",
            "Equity at the end of the year": "300000",
            "Employees at the end of the year": "17",
            "Were the accounts checked by somebody outside?": "Reviewed, not audited",
            "Has insolvency been filed for, or threatened, in the last three years?": "No",
            "Are taxes or social security contributions overdue today?": "No",
            "Who answers for these figures": "Vera Costa",
        },
    ),
    ("Financial documents", {"Annual accounts": ACCOUNTS}),
    (
        "Vendor code of conduct",
        {
            "I have read the vendor code of conduct. Our company keeps to it and asks the same of "
            "its suppliers.": True
        },
    ),
    (
        "Declaration of regulatory categories",
        {
            "Regulated goods or services in your offer": ["None of these"],
            "Will you handle personal data for buyers?": (
                "No, or only names and addresses of contacts"
            ),
            "Is anything you offer subject to export control, dual-use goods included?": "No",
            "Are you, your owners or your suppliers subject to sanctions of the EU, the UK, the US "
            "or the UN?": "No",
            "Do your products contain tin, tantalum, tungsten or gold?": "No",
            "Your name": "Vera Costa",
            "Your role in the company": "Head of sales",
            "Is this declaration true and complete to your knowledge?": "Yes",
        },
    ),
)
BUYER_INTAKE: tuple[tuple[str, Answers], ...] = (
    (
        "Your buyer profile",
        {
            "Registered name of your organisation": "Hospital de Santa Marta",
            "Industry": "Health and care",
            "Country": "Portugal",
            "Size of your organisation": "250 people or more",
            "What you expect to buy": ["Packaging", "Laboratory equipment"],
            "Expected purchases in a year, in euros": "250000",
            "How often you order": "Every month",
            "Name of your main contact": "Bruno Dias",
            "Phone": "+351 21 359 4000",
        },
    ),
    (
        "Who stands behind your organisation",
        {
            "Registration number": "501 999 888",
            "Country of that register": "Portugal",
            "Registered address": "Rua de Santa Marta 50, 1169-024 Lisboa",
            "Who owns the organisation": "A state, a municipality or another public body",
            "Beneficial owner": "Clara Nunes",
            "Their date of birth": "1970-04-03",
            "Country they live in": "Portugal",
            "Does an owner or manager hold a prominent public office, or is one close to somebody "
            "who does?": "Yes",
            "Where the money for purchases comes from": ["Public budget"],
            "Is the organisation, an owner or a manager on a sanctions list of the EU, the UK, the "
            "US or the UN?": "No",
            "Your name": "Bruno Dias",
        },
    ),
    ("Identity documents", {"Passport or identity card": PASSPORT}),
    (
        "Buyer agreement",
        {
            "I have read the buyer agreement and accept it on behalf of the organisation, which I "
            "am entitled to represent.": True
        },
    ),
)
