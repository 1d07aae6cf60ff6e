/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The user's copy of lguest's page_tables.c, compiled for one paging mode: with CONFIG_X86_PAE for PAE. Its headers are
 * lg.h, and empty files that build.sh makes.
 */
#include "lg.h"
#include "page_tables.c"

static struct lguest guest;
static struct lguest_data data;
#define CPU (&guest.cpus[0])

static bool create(uint32_t guest_pages, uint32_t device_pages, uint32_t host_cpus)
{
	static const struct lguest fresh;
	uint32_t i;

	guest = fresh;
	guest.mem_base = (void *)frames_base;
	guest.pfn_limit = guest_pages;
	guest.device_limit = guest_pages + device_pages;
	guest.lguest_data = &data;
	guest.cpus[0].lg = &guest;
	guest.cpus[0].regs_page = frames_base + REGISTERS_FRAME * PAGE_SIZE;
	nr_cpu_ids = host_cpus;
	for (i = 0; i < ARRAY_SIZE(lg_switcher_pages); i++)
		lg_switcher_pages[i] = &frames[TEXT_FRAME + i];
	return init_guest_pagetable(&guest) == 0;
}

static void destroy(void)
{
	free_guest_pagetable(&guest);
}

static uint32_t init(uint32_t kernel_address)
{
	data.kernel_address = kernel_address;
	page_table_guest_data_init(CPU);
	guest_pagetable_clear_all(CPU);
	return data.reserve_mem;
}

static void new_pagetable(uint32_t root)
{
	guest_new_pagetable(CPU, root);
}

static void clear_all(void)
{
	guest_pagetable_clear_all(CPU);
}

static void flush_user(void)
{
	guest_pagetable_flush_user(CPU);
}

static void set_stack(uint32_t esp, uint32_t pages)
{
	CPU->esp1 = esp;
	CPU->stack_pages = pages;
	pin_stack_pages(CPU);
}

static void set_leaf(uint32_t root, uint32_t vaddr, uint64_t pte)
{
	guest_set_pte(CPU, root, vaddr, __pte((entry_value)pte));
}

static void set_top(uint32_t root, uint32_t index)
{
	guest_set_pgd(&guest, root, index);
}

static void enter_guest(void)
{
	map_switcher_in_guest(CPU, NULL);
}

static bool demand(uint32_t vaddr, uint32_t code, uint32_t *iomem)
{
	unsigned long device;
	bool fixed = demand_page(CPU, vaddr, (int)code, &device);

	*iomem = device;
	return fixed;
}

static uint32_t physical(uint32_t vaddr)
{
	return guest_pa(CPU, vaddr);
}

static uint32_t current(void)
{
	return (uint32_t)CPU->cpu_pgd;
}

static uint32_t root(uint32_t slot)
{
	return (uint32_t)guest.pgdirs[slot].pgdir;
}

static uint32_t guest_root(uint32_t slot)
{
	return guest.pgdirs[slot].gpgdir;
}

static int mapped_cpu(void)
{
	return guest.pgdirs[CPU->cpu_pgd].last_host_cpu;
}

#ifdef CONFIG_X86_PAE
const struct page_tables page_tables_pae = {
#else
const struct page_tables page_tables_2_level = {
#endif
	create, destroy, init, new_pagetable, clear_all, flush_user, set_stack, set_leaf, set_top, enter_guest, demand,
	physical, current, root, guest_root, mapped_cpu,
};
