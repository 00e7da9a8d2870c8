import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import { Monitor, Moon, Sun } from "lucide-react";

const SCHEMES = [
	{ value: "auto", label: "As the system", Icon: Monitor },
	{ value: "light", label: "Light", Icon: Sun },
	{ value: "dark", label: "Dark", Icon: Moon },
] as const;

export function ColorSchemeSwitch() {
	const { colorScheme, setColorScheme } = useMantineColorScheme();
	const { Icon } = SCHEMES.find(({ value }) => value === colorScheme) ?? SCHEMES[0];
	return (
		<Menu position="bottom-end" withinPortal={false}>
			<Menu.Target>
				<ActionIcon variant="default" size="lg" aria-label="Colours">
					<Icon size={18} />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.RadioGroup value={colorScheme} onChange={(value) => setColorScheme(schemeOf(value))}>
					{SCHEMES.map(({ value, label }) => (
						<Menu.RadioItem key={value} value={value}>
							{label}
						</Menu.RadioItem>
					))}
				</Menu.RadioGroup>
			</Menu.Dropdown>
		</Menu>
	);
}

function schemeOf(text: string): (typeof SCHEMES)[number]["value"] {
	return SCHEMES.find(({ value }) => value === text)?.value ?? "auto";
}
