#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A complete subject for shadowdiff, to start your own from: README.md beside this file explains the protocol.

It reads one program a line and answers one trace a line until its input ends. The machine inside is the plainest one
that keeps the rules: the guest's tables are walked directly, and what the shadow maps is remembered in dictionaries.

One limit: 2-level paging only. A PAE program is answered with a line that is no trace, which is reported as
`subject-garbage`; run it with `--paging 2-level`.
"""

import json
import sys

PAGE = 4096
REACH = 1 << 22  # virtual addresses under one entry of a root, which is also one leaf table
SPACE = 1 << 32  # addresses are 32 bits wide and wrap
SWITCHER = 0xFFC00000  # from here on addresses are the hypervisor's own
SLOTS = 4

# Bits of an entry; the page number stands in bits 12-31.
P, RW, US, A, D, PSE = 0x1, 0x2, 0x4, 0x20, 0x40, 0x80
TABLE_FLAGS = P | RW | US | A | D  # all that a top entry may have

HYPERCALLS = {"init": 1, "new-pgtable": 4, "flush-tlb": 5, "set-stack": 7, "set-pmd": 13, "set-pte": 14, "set-pgd": 15}


class Kill(Exception):
    """The guest did what ends it; the text is the outcome's reason."""


def c_hex(number):
    """As C's %#lx prints it, in the texts of kills: zero has no prefix."""
    return f"{number:#x}" if number else "0"


class Slot:
    """One of the four cached shadows: a root page or none, and what it maps."""

    def __init__(self):
        self.has_root = False
        self.gpgdir = None  # the guest root that it shadows
        self.upper = {}  # for each leaf table, by address // REACH: RW and US of the entry that points to it
        self.leaves = {}  # virtual page -> (guest page, RW and US)
        self.text = False  # maps the Switcher's text page
        self.cpu = None  # the host CPU whose Switcher pages it maps


class Machine:
    def __init__(self, config):
        self.pages = config["guestPages"]
        self.devices = config["devicePages"]
        self.host_cpus = config["hostCpus"]
        self.ram = {}  # address of a word -> its value; others are zero
        self.protection = {}  # guest page -> "none" or "read"; others may be written
        self.references = {}  # guest page -> how many shadow leaves map it
        self.stores = []  # what the hypervisor wrote in this step
        self.tables = 0  # host pages held
        self.failing = 0  # allocations that will fail from now on
        self.slots = [Slot() for _ in range(SLOTS)]
        self.current = self.slots[config["draw"] % SLOTS]
        self.linear = True
        self.initialized = False
        self.kernel_address = 0
        self.esp, self.stack_pages = 0, 0
        self.cpu = 0

    # Creation and end.

    def create(self, fail_allocation):
        """Needs two host pages: a root and a table for the Switcher."""
        if fail_allocation in (1, 2):
            return {"kind": "no-memory"}  # and whatever was allocated is free again
        self.allocate()
        self.current.has_root = True
        self.map_switcher()
        return {"kind": "created"}

    def destroy(self):
        for slot in self.slots:
            self.release(slot, 0, SPACE)
            self.tables -= slot.has_root
        return {"kind": "destroyed"}

    # Host pages, guest words, guest pages.

    def allocate(self):
        if self.failing > 0:
            self.failing -= 1
            return False
        self.tables += 1
        return True

    def read(self, address):
        address %= SPACE
        if address >= self.pages * PAGE:
            raise Kill(f"bad read address {c_hex(address)} len 4")
        return self.ram.get(address, 0)

    def write_back(self, address, value):
        if self.ram.get(address, 0) != value:
            self.ram[address] = value
            self.stores.append([hex(address), hex(value)])

    def install(self, slot, vaddr, leaf):
        """Takes a reference on the leaf's page and maps it. Writable only if dirty: the first write must come by."""
        page = leaf // PAGE
        rights = leaf & (RW | US) if leaf & D else leaf & US
        allowed = self.protection.get(page, "write")
        if allowed == "none" or (allowed == "read" and rights & RW):
            raise Kill(f"failed to get page {page}")
        self.references[page] = self.references.get(page, 0) + 1
        slot.leaves[vaddr // PAGE] = (page, rights)

    # The shadow.

    def release_leaf(self, slot, vpage):
        if vpage in slot.leaves:
            page, _ = slot.leaves.pop(vpage)
            self.references[page] -= 1

    def release(self, slot, first, end):
        """Every leaf whose page begins in first .. end-1, and every table that lies wholly there."""
        for vpage in [v for v in slot.leaves if first <= v * PAGE < end]:
            self.release_leaf(slot, vpage)
        for index in [i for i in slot.upper if first <= i * REACH and (i + 1) * REACH <= end]:
            del slot.upper[index]
            self.tables -= 1
            if index == SWITCHER // REACH:
                slot.text, slot.cpu = False, None

    def release_all_slots(self):
        for slot in self.slots:
            self.release(slot, 0, SPACE)

    def make_table(self, vaddr, rights):
        index = vaddr // REACH
        if index not in self.current.upper and not self.allocate():
            raise Kill("out of memory allocating pte page")
        self.current.upper[index] = rights

    def map_switcher(self):
        if not self.current.text:
            self.make_table(SWITCHER, RW | US)
            self.current.text = True

    def mapped(self, vaddr, needed):
        """The guest page that the current shadow maps with these rights, or None."""
        page, rights = self.current.leaves.get(vaddr // PAGE, (None, 0))
        allowed = rights & self.current.upper.get(vaddr // REACH, 0)
        return page if allowed & needed == needed else None

    def target(self, leaf):
        page = leaf // PAGE
        if leaf & PSE or page >= self.pages + self.devices:
            return "bad"
        return "ram" if page < self.pages else "device"

    def walk(self, vaddr, checked):
        """The guest's own tables: (top entry, leaf, address of the leaf), or None where something is not present."""
        top = self.read(self.current.gpgdir + vaddr // REACH * 4)
        if not top & P:
            return None
        if checked and (top % PAGE & ~TABLE_FLAGS or top // PAGE >= self.pages):
            raise Kill("bad page directory entry")
        home = top // PAGE * PAGE + vaddr % REACH // PAGE * 4
        leaf = self.read(home)
        return (top, leaf, home) if leaf & P else None

    def demand(self, vaddr, kind, mode):
        """What the page-fault path does for an access that the shadow does not allow."""
        needed = (RW if kind == "write" else 0) | (US if mode == "user" else 0)
        if self.linear:
            top, leaf, home = P | RW | US, vaddr // PAGE * PAGE | P | RW, None
        else:
            walked = self.walk(vaddr, checked=True)
            if walked is None:
                return {"kind": "fault", "code": needed}  # RW and US stand where a fault's code has write and user
            top, leaf, home = walked
        if top & leaf & needed != needed:
            return {"kind": "fault", "code": needed | P}
        paddr = leaf // PAGE * PAGE + vaddr % PAGE
        target = self.target(leaf)
        if target == "device":
            return {"kind": "mmio", "paddr": hex(paddr)}
        if target == "bad":
            raise Kill("bad page table entry")
        leaf |= A
        if kind == "write":
            leaf |= D
        self.make_table(vaddr, top & (RW | US))
        self.release_leaf(self.current, vaddr // PAGE)
        self.install(self.current, vaddr, leaf)
        if home is not None:
            self.write_back(home, leaf)
        return {"kind": "mapped", "paddr": hex(paddr)}

    def pin_stack(self):
        for i in range(self.stack_pages):
            vaddr = (self.esp - 1 - PAGE * i) % SPACE
            if vaddr < SWITCHER and self.mapped(vaddr, RW) is not None:
                continue
            if vaddr >= SWITCHER or self.demand(vaddr, "write", "kernel")["kind"] != "mapped":
                raise Kill(f"bad stack page {c_hex(vaddr)}")

    def clear_all(self):
        self.release_all_slots()
        self.pin_stack()
        self.map_switcher()

    def shadow_of(self, root):
        return next((slot for slot in self.slots if slot.has_root and slot.gpgdir == root), None)

    # Steps, one method each; None stands for the outcome "ok".

    def step(self, step):
        op = step["op"]
        if op in HYPERCALLS and op != "init" and not self.initialized:
            raise Kill(f"hypercall {HYPERCALLS[op]} before INIT")
        arguments = {name: number(name, value) for name, value in step.items() if name != "op"}
        return getattr(self, "do_" + op.replace("-", "_"))(**arguments) or {"kind": "ok"}

    def do_store(self, paddr, value):
        self.ram[paddr] = value

    def do_init(self, kernelAddress):
        if self.initialized:
            raise Kill("already have lguest_data")
        self.initialized = True
        self.kernel_address = kernelAddress
        if kernelAddress >= SWITCHER:
            raise Kill(f"bad kernel address {c_hex(kernelAddress)}")
        self.clear_all()
        return {"kind": "initialized", "reserved": hex(SPACE - SWITCHER)}

    def do_new_pgtable(self, root, draw):
        if self.linear:
            self.release_all_slots()
            self.linear = False
        hit = self.shadow_of(root)
        if hit is not None:
            self.current = hit
        else:
            self.replace_shadow(root, self.slots[draw % SLOTS])
        self.map_switcher()

    def replace_shadow(self, root, victim):
        blank = not victim.has_root and self.allocate()
        if blank:
            victim.has_root = True
        if victim.has_root:  # without a page for its root the current slot must do
            self.current = victim
        self.current.gpgdir = root
        self.release(self.current, 0, self.kernel_address)
        if blank:
            self.pin_stack()

    def do_flush_tlb(self, scope):
        if scope == "all":
            self.clear_all()
        else:
            self.release(self.current, 0, self.kernel_address)

    def do_set_stack(self, esp, pages):
        if pages > 2:
            raise Kill(f"bad stack pages {pages}")
        self.esp, self.stack_pages = esp, pages
        self.pin_stack()

    def do_set_pmd(self, pmd, index):
        raise Kill("Bad hypercall 13")  # 2-level paging has no middle tables

    def do_set_pte(self, root, vaddr, pte):
        if vaddr >= SWITCHER:
            raise Kill("attempt to set pte into Switcher pages")
        if self.linear:
            return
        if vaddr >= self.kernel_address:  # a kernel mapping is the same in every root
            targets = [slot for slot in self.slots if slot.has_root]
        else:
            targets = [slot for slot in [self.shadow_of(root)] if slot is not None]
        for slot in targets:
            if vaddr // REACH in slot.upper:
                self.set_leaf(slot, vaddr, pte)

    def set_leaf(self, slot, vaddr, pte):
        self.release_leaf(slot, vaddr // PAGE)
        if pte & P and pte & A and self.target(pte) != "device":
            if self.target(pte) == "bad":
                raise Kill("bad page table entry")
            self.install(slot, vaddr, pte)

    def do_set_pgd(self, root, index):
        if index >= 1024:
            raise Kill(f"Attempt to set pgd {index}/1024")
        slot = self.shadow_of(root)
        if slot is not None:
            self.release(slot, index * REACH, (index + 1) * REACH)
        if slot is self.current:  # another one gets its Switcher back when the guest switches to it
            self.map_switcher()

    def do_access(self, vaddr, kind, mode):
        self.current.cpu = self.cpu  # the guest is entered
        needed = (RW if kind == "write" else 0) | (US if mode == "user" else 0)
        if vaddr >= SWITCHER:
            return {"kind": "fault", "code": needed}
        page = self.mapped(vaddr, needed)
        if page is None:
            return self.demand(vaddr, kind, mode)
        return {"kind": "mapped", "paddr": hex(page * PAGE + vaddr % PAGE)}

    def do_guest_pa(self, vaddr):
        if self.linear:
            return {"kind": "physical", "paddr": hex(vaddr)}
        walked = self.walk(vaddr, checked=False)
        if walked is None:
            raise Kill(f"Bad address {c_hex(vaddr)}")
        return {"kind": "physical", "paddr": hex(walked[1] // PAGE * PAGE + vaddr % PAGE)}

    def do_migrate(self, cpu):
        self.cpu = cpu

    def do_fail_alloc(self, count):
        self.failing = count

    def do_protect(self, page, access):
        self.protection[page] = access

    # What can be seen after a step.

    def observe(self, outcome, references):
        stores, self.stores = self.stores, []
        cpus = [slot.cpu for slot in self.slots if slot.cpu is not None]
        switcher = {
            "text": sum(slot.text for slot in self.slots),
            "state": [cpus.count(cpu) for cpu in range(self.host_cpus)],
            "registers": len(cpus),
        }
        return dict(outcome=outcome, references=references, stores=stores, tables=self.tables, switcher=switcher)


HEX_FIELDS = {"paddr", "value", "kernelAddress", "root", "esp", "pmd", "vaddr", "pte"}


def number(name, value):
    return int(value, 16) if name in HEX_FIELDS else value


def run_step(machine, step):
    before = dict(machine.references)
    try:
        outcome = machine.step(step)
    except Kill as kill:
        return {"outcome": {"kind": "killed", "reason": str(kill)}}  # nothing else is compared
    changes = [[page, count] for page, count in sorted(machine.references.items()) if count != before.get(page, 0)]
    return machine.observe(outcome, changes)


def run(program):
    """The trace of a program."""
    config, steps = program["machine"], program["steps"]
    machine = Machine(config)
    created = machine.observe(machine.create(config["failAllocation"]), [])
    if created["outcome"]["kind"] == "no-memory":
        absent = {"outcome": {"kind": "absent"}}
        return {"created": created, "steps": [absent] * len(steps), "destroyed": absent}
    observations = []
    for step in steps:
        observations.append(run_step(machine, step))
        if observations[-1]["outcome"]["kind"] == "killed":
            break
    observations += [{"outcome": {"kind": "dead"}}] * (len(steps) - len(observations))
    outcome = machine.destroy()
    machine.stores = []
    leaked = [[page, count] for page, count in sorted(machine.references.items()) if count]
    return {"created": created, "steps": observations, "destroyed": machine.observe(outcome, leaked)}


HELLO = {"format": "shadowdiff-hello/2", "name": "walker", "paging": ["2-level"]}


def answer(message):
    """The first message is a hello, every other one a program."""
    return HELLO if message["format"] == HELLO["format"] else run(message)


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
