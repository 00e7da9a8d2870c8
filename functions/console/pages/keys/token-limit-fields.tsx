import { Accordion, Checkbox, NumberInput, Stack, TextInput } from "@mantine/core";
import type { TokenDraft } from "./token-draft.ts";

/** Each a list, with commas. */
const LISTS = [
	{
		name: "ips",
		label: "Addresses",
		description: "IP addresses or networks that may use it",
		placeholder: "192.0.2.0/24, 2001:db8::/32",
	},
	{
		name: "countries",
		label: "Countries",
		description: "Two letters each. Known behind Cloudflare and CloudFront only; elsewhere nobody gets in",
		placeholder: "DE, AT",
	},
	{
		name: "referrers",
		label: "Pages",
		description: "Hosts of the pages that may use it",
		placeholder: "*.example.com",
	},
] as const;

/** Who may use the token besides having it. Folded away: few need it. */
export function TokenLimitFields(props: { draft: TokenDraft; onChange: (changed: Partial<TokenDraft>) => void }) {
	const { draft, onChange } = props;
	return (
		<Accordion variant="contained">
			<Accordion.Item value="limits">
				<Accordion.Control>Limits</Accordion.Control>
				<Accordion.Panel>
					<Stack>
						{LISTS.map(({ name, ...words }) => (
							<TextInput
								key={name}
								{...words}
								value={draft[name]}
								onChange={(event) => onChange({ [name]: event.currentTarget.value })}
							/>
						))}
						<NumberInput
							label="Addresses at once"
							description="From how many it may be used at the same time"
							min={1}
							max={1000}
							allowDecimal={false}
							hideControls
							value={draft.concurrency ?? ""}
							onChange={(value) => onChange({ concurrency: typeof value === "number" ? value : null })}
						/>
						<Checkbox
							label="For CloudFront"
							description="A form that its edge functions can verify: to watch paths by name, for a day at most"
							checked={draft.form === "edge"}
							onChange={(event) => onChange({ form: event.currentTarget.checked ? "edge" : "signed" })}
						/>
					</Stack>
				</Accordion.Panel>
			</Accordion.Item>
		</Accordion>
	);
}
