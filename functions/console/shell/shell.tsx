import { Anchor, AppShell, Burger, Group, NavLink, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { type ReactNode, useEffect } from "react";
import { Link, useLocation } from "wouter";
import { isAllowed } from "../api/allowed.ts";
import { useMe } from "../api/hooks.ts";
import icon from "../icon.svg";
import { AccountMenu } from "./account-menu.tsx";
import { ColorSchemeSwitch } from "./color-scheme-switch.tsx";
import { DESTINATIONS } from "./navigation.ts";
import classes from "./shell.module.css";

/** What is around every page: at the left where one can go, above it who one is. */
export function Shell({ children }: { children: ReactNode }) {
	const [isOpen, { toggle, close }] = useDisclosure(false);
	const [location] = useLocation();
	const { permissions } = useMe();
	// biome-ignore lint/correctness/useExhaustiveDependencies: a new place closes the drawer.
	useEffect(close, [location]);
	useEffect(() => {
		if (!isOpen) return;
		const leave = ({ key }: KeyboardEvent) => key === "Escape" && close();
		document.addEventListener("keydown", leave);
		return () => document.removeEventListener("keydown", leave);
	}, [isOpen, close]);

	return (
		<AppShell
			header={{ height: 56 }}
			navbar={{ width: 220, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
			padding={{ base: "sm", sm: "lg" }}
		>
			<a href="#main" className={classes["skip"]}>
				Skip to the page
			</a>
			<AppShell.Header>
				<Group h="100%" px="md" justify="space-between" wrap="nowrap">
					<Group gap="sm" wrap="nowrap">
						<Burger
							opened={isOpen}
							onClick={toggle}
							hiddenFrom="sm"
							size="sm"
							aria-label={isOpen ? "Close the navigation" : "Open the navigation"}
							aria-expanded={isOpen}
							aria-controls="navigation"
						/>
						<Anchor component={Link} href="/" underline="never" c="var(--mantine-color-text)">
							<Group gap="xs" wrap="nowrap">
								<img src={icon} alt="" width={28} height={28} />
								<Text span fw={700} size="lg">
									Sluice
								</Text>
							</Group>
						</Anchor>
					</Group>
					<Group gap="xs" wrap="nowrap">
						<ColorSchemeSwitch />
						<AccountMenu />
					</Group>
				</Group>
			</AppShell.Header>
			<AppShell.Navbar p="xs" id="navigation" aria-label="Pages">
				{DESTINATIONS.filter(({ needs }) => isAllowed(permissions, needs)).map(({ to, label, icon: Icon }) => {
					const isHere = to === "/" ? location === "/" : location === to || location.startsWith(`${to}/`);
					return (
						<NavLink
							key={to}
							component={Link}
							href={to}
							label={label}
							active={isHere}
							{...(isHere ? { "aria-current": "page" } : {})}
							leftSection={<Icon size={18} strokeWidth={1.75} aria-hidden />}
							className={classes["link"]}
						/>
					);
				})}
			</AppShell.Navbar>
			<AppShell.Main id="main" tabIndex={-1} className={classes["main"]}>
				{children}
			</AppShell.Main>
		</AppShell>
	);
}
