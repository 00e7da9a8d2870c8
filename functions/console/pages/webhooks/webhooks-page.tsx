import { Button, Tabs } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { useCan } from "../../api/hooks.ts";
import { PageHeader } from "../../ui/page-header.tsx";
import { RoleGate } from "../../ui/role-gate.tsx";
import { AddEndpoint } from "./add-endpoint.tsx";
import { Deliveries } from "./deliveries.tsx";
import type { DeliveryFilter } from "./deliveries-address.ts";
import { Endpoints } from "./endpoints.tsx";

/** Where events go, and how they fare on their way. */
export function WebhooksPage() {
	const mayAdd = useCan("api");
	const [isAdding, { open, close }] = useDisclosure(false);
	const [search] = useSearchParams();
	const [, navigate] = useLocation();
	const [filter, setFilter] = useState<DeliveryFilter>({ state: "dead", endpoint: null, path: "" });
	const tab = search.get("tab") === "deliveries" ? "deliveries" : "endpoints";
	const show = (name: string | null) => navigate(name === "deliveries" ? "/webhooks?tab=deliveries" : "/webhooks");

	function showDeliveriesTo(endpoint: string) {
		setFilter({ state: "done", endpoint, path: "" });
		show("deliveries");
	}

	return (
		<RoleGate needs="manage" title="Webhooks">
			<PageHeader title="Webhooks">
				{mayAdd && (
					<Button leftSection={<Plus size={16} aria-hidden />} onClick={open}>
						Add an endpoint
					</Button>
				)}
			</PageHeader>
			<Tabs value={tab} onChange={show} keepMounted={false}>
				<Tabs.List mb="md" aria-label="Parts of this page">
					<Tabs.Tab value="endpoints">Endpoints</Tabs.Tab>
					<Tabs.Tab value="deliveries">Deliveries</Tabs.Tab>
				</Tabs.List>
				<Tabs.Panel value="endpoints">
					<Endpoints onAdd={open} onDeliveries={showDeliveriesTo} />
				</Tabs.Panel>
				<Tabs.Panel value="deliveries">
					<Deliveries filter={filter} onFilter={setFilter} />
				</Tabs.Panel>
			</Tabs>
			<AddEndpoint opened={isAdding} onClose={close} />
		</RoleGate>
	);
}
