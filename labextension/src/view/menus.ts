import { MenuSvg } from '@jupyterlab/ui-components';
import { CommandRegistry } from '@lumino/commands';
import { NO_ARGUMENTS } from '../tokens';

/** One entry of a menu. */
export interface IMenuItem {
  label: string;
  caption?: string;
  isToggled?: boolean;
  isEnabled?: boolean;
  run: () => void;
}

/**
 * Open one of JupyterLab's own menus below (or above) the element that asked for it.
 */
export function openMenu(
  anchor: HTMLElement,
  items: readonly IMenuItem[]
): void {
  const commands = new CommandRegistry();
  const menu = new MenuSvg({ commands });
  items.forEach((item, index) => {
    const command = `secure-ml-ext:item-${index}`;
    commands.addCommand(command, {
      describedBy: NO_ARGUMENTS,
      label: item.label,
      caption: item.caption,
      isToggleable: item.isToggled !== undefined,
      isToggled: () => item.isToggled === true,
      isEnabled: () => item.isEnabled !== false,
      execute: item.run
    });
    menu.addItem({ command });
  });
  menu.addClass('jp-ThemedContainer');
  menu.aboutToClose.connect(() => {
    // The menu runs its command after it has closed.
    window.setTimeout(() => {
      menu.dispose();
      anchor.focus();
    });
  });
  const { left, bottom } = anchor.getBoundingClientRect();
  menu.open(left, bottom);
}
