import { Anchor, List, Stack, Table, Text, Title } from "@mantine/core";
import type { UsageReport } from "../../../routes/usage.ts";
import { formatMoney } from "../../ui/format.ts";

const NAMES = { aws: "Amazon Web Services", cloudflare: "Cloudflare" } as const;

/** By what prices the cost was estimated, and what the estimate leaves out. */
export function PricesUsed({ prices }: { prices: UsageReport["prices"] }) {
	const rows = [
		{ what: "Writes to the bucket (PUT, LIST), by the million", price: prices.putsPerMillion },
		{ what: "Reads of the bucket (GET, HEAD), by the million", price: prices.getsPerMillion },
		{ what: "Playlists and segments that the functions serve, by the million", price: prices.servedPerMillion },
		{ what: "Storage, by the GB and month", price: prices.storagePerGbMonth },
		{ what: "HLS to viewers, by the GB", price: prices.servedPerGb },
		{ what: "RTSP and WebRTC to readers, by the GB", price: prices.nodeOutPerGb },
	];
	return (
		<Stack gap="sm">
			<Title order={2} size="h4">
				How the cost is estimated
			</Title>
			<Text size="sm">
				{prices.provider === "none" ? (
					<>
						No prices are set, so everything counts as free. Set <code>SLUICE_PRICES</code> to <code>aws</code> or{" "}
						<code>cloudflare</code> to see what they would charge.
					</>
				) : (
					<>
						By the list prices of {NAMES[prices.provider]}, as they were on{" "}
						<time dateTime={prices.date}>{prices.date}</time> (<code>{prices.id}</code>). {prices.about}.
					</>
				)}
			</Text>
			{prices.provider !== "none" && (
				<Table verticalSpacing={4} maw={640} aria-label="Prices">
					<Table.Tbody>
						{rows.map(({ what, price }) => (
							<Table.Tr key={what}>
								<Table.Th scope="row" fw={400}>
									{what}
								</Table.Th>
								<Table.Td ta="right">{formatMoney(price, prices.currency)}</Table.Td>
							</Table.Tr>
						))}
					</Table.Tbody>
				</Table>
			)}
			<Text size="sm">What it leaves out:</Text>
			<List size="sm">
				<List.Item>free tiers, volume discounts and taxes;</List.Item>
				<List.Item>the machines of the nodes, and what publishers send to them;</List.Item>
				<List.Item>
					the time that functions compute, logs, domains and all else that does not grow with streams;
				</List.Item>
				<List.Item>what was not counted yet: the last minutes.</List.Item>
			</List>
			{prices.sources.length > 0 && (
				<Text size="sm">
					Sources:{" "}
					{prices.sources.map((source, i) => (
						<span key={source}>
							{i > 0 && ", "}
							<Anchor href={source} target="_blank" rel="noreferrer" inherit underline="always">
								{source.replace(/^https:\/\/|\/$/g, "")}
							</Anchor>
						</span>
					))}
				</Text>
			)}
		</Stack>
	);
}
