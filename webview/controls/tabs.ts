// The workspaces, and the tabs of the views of the selected one. One tab is in the tab order; arrow keys move between
// views, also into the next workspace. With several views open, a tab opens its view beside the others, or closes it.
import { html, nothing, render, type TemplateResult } from 'lit/html.js';
import { hasWrongGradient } from '../../src/presentation/check-summary';
import type { Context, Component, View } from '../context';
import { type Workspace, workspaceOf, workspaces } from '../views';
import { renderIcon } from './number-value';
import { openViews } from './view-area';

/** Where the panel's stored state keeps the view of each workspace that was selected last. */
const STATE_KEY = 'workspaces';

export function mountTabs(host: HTMLElement, context: Context): Component {
  const views = workspaces.flatMap((workspace) => workspace.views);
  const isOpen = (id: string): boolean => openViews(context.settings, views).some((view) => view.id === id);
  /** Those for this network, and those that are open. */
  const viewsOf = (workspace: Workspace): readonly View[] =>
    workspace.views.filter((view) => isOpen(view.id) || (view.appliesTo?.(context.data) ?? true));

  const select = (view: View): void => {
    const { viewState } = context.settings;
    const selected = { ...recordOf(viewState[STATE_KEY]), [workspaceOf(view.id).id]: view.id };
    context.updateSettings({ view: view.id, viewState: { ...viewState, [STATE_KEY]: selected } });
  };
  const selectWorkspace = (workspace: Workspace): void => {
    const last = recordOf(context.settings.viewState[STATE_KEY])[workspace.id];
    const own = viewsOf(workspace);
    select(own.find(({ id }) => id === last) ?? own[0]!);
  };
  const choose = (view: View): void => {
    const { multiView, open } = context.settings;
    const { id } = view;
    if (!multiView || !isOpen(id)) select(view);
    if (multiView && !isOpen(id)) context.updateSettings({ open: [...open, id] });
    else if (multiView && open.length > 1) context.updateSettings({ open: open.filter((other) => other !== id) });
  };
  const toggleMultiView = (): void => {
    const { multiView, view } = context.settings;
    context.updateSettings({ multiView: !multiView, open: [view] });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const tab = event.target instanceof Element ? event.target.closest<HTMLElement>('[role="tab"]') : null;
    const shown = workspaces.flatMap(viewsOf);
    const at = shown.findIndex(({ id }) => tab?.id === `tab-${id}`);
    const moves: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: shown.length - 1 };
    const to = moves[event.key];
    if (at < 0 || to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const view = shown[(to + shown.length) % shown.length]!;
    // With several views open, moving the focus neither opens nor closes any.
    select(view);
    update();
    host.querySelector<HTMLElement>(`#tab-${view.id}`)?.focus();
  };
  host.addEventListener('keydown', onKeyDown);

  const tab = (view: View): TemplateResult => {
    const { settings, data } = context;
    const { id, title } = view;
    const on = isOpen(id);
    const failed = id === 'check' && data.check !== null && hasWrongGradient(data.check);
    return html`<button
      id="tab-${id}"
      role="tab"
      aria-controls=${on ? `view-${id}` : nothing}
      aria-selected=${on ? 'true' : 'false'}
      tabindex=${id === settings.view ? 0 : -1}
      @click=${() => choose(view)}
    >
      ${title}${
        failed
          ? html`<span class="sign error"
              >${renderIcon('error')}<span class="visually-hidden">wrong gradients</span></span
            >`
          : nothing
      }
    </button>`;
  };

  const update = (): void => {
    const { multiView, view } = context.settings;
    const current = workspaceOf(view);
    const meaning = multiView ? 'Show one view' : 'Show several views: each tab opens or closes its own';
    render(
      html`<div class="workspaces" role="group" aria-label="Workspaces">
          ${workspaces.map(
            (workspace) =>
              html`<button
                id="workspace-${workspace.id}"
                data-views=${viewsOf(workspace)
                  .map(({ id }) => id)
                  .join(' ')}
                aria-current=${workspace === current ? 'true' : 'false'}
                title=${workspace.question}
                @click=${() => selectWorkspace(workspace)}
              >
                ${workspace.title}
              </button>`,
          )}
        </div>
        <select
          class="workspace-menu"
          aria-label="Workspace"
          @change=${({ target }: Event) => selectWorkspace(workspaces[(target as HTMLSelectElement).selectedIndex]!)}
        >
          ${workspaces.map((workspace) => html`<option .selected=${workspace === current}>${workspace.title}</option>`)}
        </select>
        <select
          class="view-menu"
          aria-label="View"
          @change=${({ target }: Event) => select(viewsOf(current)[(target as HTMLSelectElement).selectedIndex]!)}
        >
          ${viewsOf(current).map((each) => html`<option value=${each.id} .selected=${each.id === view}>${each.title}</option>`)}
        </select>
        <div class="list" role="tablist" aria-label="Views" aria-multiselectable=${String(multiView)}>
          ${viewsOf(current).map(tab)}
        </div>
        <button
          class="tool"
          data-action="multi-view"
          aria-pressed=${multiView ? 'true' : 'false'}
          title=${meaning}
          aria-label=${meaning}
          @click=${toggleMultiView}
        >
          ${renderIcon('split-horizontal')}
        </button>`,
      host,
    );
  };

  return {
    update(text) {
      if (text) update();
    },
    dispose() {
      host.removeEventListener('keydown', onKeyDown);
      render(nothing, host);
    },
  };
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
