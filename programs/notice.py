"""The fixed notice: what stands under every page, every plan and every export."""

from __future__ import annotations

from programs.marking import N_

# Own words on what has to be said at the start, with every plan and with every export. Source of the signs to stop
# at: Finucane 2020 (IFOMPT framework, JOSPT 50:350); of the rest: the purposes that MDR Art. 2(1) and the FDA's General
# Wellness guidance (2026) call medical, which Backstop does not have.
NOTICE = N_(
    "This is information about training and posture. It is no diagnosis and no treatment, and it cannot detect an "
    "injury. With pain, a doctor's diagnosis comes first. Trouble passing or holding urine or stool, numbness around "
    "the genitals or bottom, weakness in the legs, chest pain or breathlessness, a sudden tearing pain, fainting, "
    "fever, or pain after a fall or crash: stop, and get help at once."
)
