/** Whether this cell goes to another operator, or has just come from one. Asked once an hour. */
import { api } from '../app/api/client.ts'
import { HOUR_MS, type Sale } from './sale.ts'

class News {
  known = $state<Sale | null>(null)

  /** Looks now and each hour; what fails is asked again then. Gives what ends it. */
  watch(): () => void {
    const look = (): void => {
      api.get<Sale>('/api/cell/sale').then((sale) => { this.known = sale }, () => undefined)
    }
    look()
    const timer = setInterval(look, HOUR_MS)
    return () => clearInterval(timer)
  }
}

export const news = new News()
